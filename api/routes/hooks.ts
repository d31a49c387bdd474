import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { translateHook } from '../../domain/capture/claude-code-hooks.ts';
import { contextQuestion } from '../../domain/capture/context-question.ts';
import type { HostEvent } from '../../domain/capture/event.ts';
import { readHookPayload } from '../../domain/capture/hook-payload.ts';
import type { HookPayload } from '../../domain/capture/hook-payload.ts';
import { translateMapped, withSessionId } from '../../domain/capture/hosts/translate-mapped.ts';
import { holderOf } from '../auth.ts';
import { HOOK_BODY_BYTES } from '../body.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { ApiError } from '../errors.ts';
import { rejectionOf } from '../intake/check-event.ts';
import { deliveryHeaders, deliveryOf, SOURCE_HEADER } from '../intake/delivery.ts';
import { HOOK_HOSTS, HOST_MAPPINGS } from '../schemas/host-mappings.ts';
import type { HookHost } from '../schemas/host-mappings.ts';
import { externalId, ERROR_RESPONSES, namespaceName } from '../schemas/shared.ts';

/** What must be right in a hook's JSON: a host that sends anything else in another way than it did must not lose its events for it. */
const hookBody = z.looseObject({ session_id: externalId });

const hookAnswer = z
  .object({
    hookSpecificOutput: z.object({ hookEventName: z.string(), additionalContext: z.string() }).optional(),
    additional_context: z.string().optional(),
  })
  .meta({ id: 'HookAnswer' });

const hookQuery = z.object({
  host: z.enum(HOOK_HOSTS).default('claude-code').describe('The agent host that sends the hook'),
  namespace: namespaceName.default('default').describe('Namespace of the session, fixed by its first event'),
});

/** The mapping of a host that is known by data; null for Claude Code, whose hooks are known by code, and for a host that nobody knows. */
function mappingOf(host: unknown): (typeof HOST_MAPPINGS)[Exclude<HookHost, 'claude-code'>] | null {
  const name = HOOK_HOSTS.find((known) => known === host);
  return name === undefined || name === 'claude-code' ? null : HOST_MAPPINGS[name];
}

function translate(host: HookHost, event: string, payload: HookPayload, deliveryId: string | null): HostEvent | null {
  const mapping = mappingOf(host);
  return mapping === null
    ? translateHook(event, payload, deliveryId)
    : translateMapped(mapping, event, payload, deliveryId);
}

function contextAnswer(host: HookHost, event: string, block: string): z.output<typeof hookAnswer> {
  return mappingOf(host)?.context_answer === 'additional_context'
    ? { additional_context: block }
    : { hookSpecificOutput: { hookEventName: event, additionalContext: block } };
}

/** `POST /hooks/{event}`: a host's raw hook in, what that host may be answered out. */
export function hookRoutes({ intake, recall }: ApiDependencies): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.post(
      '/hooks/:event',
      {
        bodyLimit: HOOK_BODY_BYTES,
        config: { access: 'capture' },
        // Hosts name their session's id as they like; the body is checked under the one name that it has here.
        preValidation: (request, _reply, next) => {
          const mapping = mappingOf(request.query.host);
          if (mapping !== null) request.body = withSessionId(mapping, request.body);
          next();
        },
        schema: {
          tags: ['capture'],
          summary: 'Take one hook of an agent host',
          description:
            'Raw hook JSON of Claude Code, or of the host that the query names. An unknown event is kept as an info observation. A session start, a prompt and a file about to be read are answered with context where something is known.',
          params: z.object({
            event: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'letters, digits, dash and underscore, at most 64'),
          }),
          querystring: hookQuery,
          headers: deliveryHeaders,
          body: hookBody,
          response: { 200: hookAnswer, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const holder = holderOf(request);
        const { event } = request.params;
        const { host, namespace } = request.query;
        const payload = readHookPayload(request.body);
        const told = translate(host, event, payload, deliveryOf(request.headers));
        const source = request.headers[SOURCE_HEADER] === 'spool' ? ('spool' as const) : ('hook' as const);
        const translated = told === null ? null : { ...told, namespace, source };
        if (translated !== null) {
          const [result] = await intake.capture([translated], { tenantId: holder.tenantId, userId: holder.userId });
          const stored = result?.status === 'accepted' || result?.status === 'duplicate';
          // What a person wants kept out is no problem of the agent's.
          const unwanted = result?.status === 'rejected' && result.reason !== 'deleted';
          if (!stored && !unwanted) {
            const { code, message } = rejectionOf(result);
            throw new ApiError(code, message);
          }
        }
        const question = contextQuestion(mappingOf(host), event, payload, translated);
        // Nobody waits for the answer to what a spool kept.
        if (question === null || source === 'spool' || !holder.scopes.includes('read')) return {};
        const session = { host, externalId: payload.session_id, namespace };
        const block = await recall.contextForHook(holder, session, question).catch((error: unknown) => {
          // Context is a gift: the agent must go on without it when recall is away.
          request.log.warn({ error: error instanceof Error ? error.name : 'unknown' }, 'no context for a hook');
          return '';
        });
        return block === '' ? {} : contextAnswer(host, event, block);
      },
    );
    done();
  };
}
