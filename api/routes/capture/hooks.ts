import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { principalOf } from '../../auth.ts';
import { HOOK_BODY_BYTES } from '../../http/body.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { ApiError } from '../../errors.ts';
import { HEAVY_CHARS } from '../../intake/build-incoming.ts';
import type { Incoming } from '../../intake/build-incoming.ts';
import { rejectionOf } from '../../intake/check-event.ts';
import { deliveryHeaders, hookAnswer, hookBody, hookQuery, SOURCE_HEADER } from '../../../contract/events.ts';
import { deliveryOf } from '../../intake/delivery.ts';
import { mappingOf, readHook, withKnownSession } from '../../intake/read-hook.ts';
import type { HookHost } from '../../../contract/events.ts';
import { ERROR_RESPONSES } from '../../../contract/shared.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** A body that is parsed beside the event loop; else null. */
    bytes: Buffer | null;
  }
}

/** Bodies from this size on are read beside the event loop. */
const HEAVY_BODY_BYTES = HEAVY_CHARS;

function contextAnswer(host: HookHost, event: string, block: string): z.output<typeof hookAnswer> {
  return mappingOf(host)?.context_answer === 'additional_context'
    ? { additional_context: block }
    : { hookSpecificOutput: { hookEventName: event, additionalContext: block } };
}

/** `POST /hooks/{event}`: a host's raw hook in, what that host may be answered out. */
export function hookRoutes({ heavy, intake, recall }: ApiDependencies): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.decorateRequest('bytes', null);
    app.post(
      '/hooks/:event',
      {
        bodyLimit: HOOK_BODY_BYTES,
        config: { access: 'capture', bytesFrom: HEAVY_BODY_BYTES },
        // A large body is checked where it is parsed, beside the event loop.
        preValidation: (request, _reply, next) => {
          const body: unknown = request.body;
          if (Buffer.isBuffer(body)) {
            request.bytes = body;
            Object.assign(request, { body: { session_id: 'not read yet' } });
          } else Object.assign(request, { body: withKnownSession(request.query.host, body) });
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
        const holder = principalOf(request);
        const { host, namespace } = request.query;
        const delivery = {
          host,
          event: request.params.event,
          namespace,
          source: request.headers[SOURCE_HEADER] === 'spool' ? ('spool' as const) : ('hook' as const),
          deliveryId: deliveryOf(request.headers),
        };
        const capture = async (event: Incoming | null) => {
          if (event === null) return;
          const [result] = await intake.capture([event], { tenantId: holder.tenantId, userId: holder.userId });
          const stored = result?.status === 'accepted' || result?.status === 'duplicate';
          // What a person wants kept out is no problem of the agent's.
          const unwanted = result?.status === 'rejected' && result.reason !== 'deleted';
          if (stored || unwanted) return;
          const { code, message } = rejectionOf(result);
          throw new ApiError(code, message);
        };
        const { bytes } = request;
        const hook =
          bytes === null
            ? readHook(request.body, delivery)
            : await heavy.withHook(holder.userId, bytes, delivery, async (read) => {
                await capture(read.event);
                return { ...read, event: null };
              });
        await capture(hook.event);
        const { question } = hook;
        // Nobody waits for the answer to what a spool kept.
        if (question === null || delivery.source === 'spool' || !holder.scopes.includes('read')) return {};
        const session = { host, externalId: hook.sessionId, namespace };
        const block = await recall.contextForHook(holder, session, question).catch((error: unknown) => {
          // Context is a gift: the agent must go on without it when recall is away.
          request.log.warn({ error: error instanceof Error ? error.name : 'unknown' }, 'no context for a hook');
          return '';
        });
        return block === '' ? {} : contextAnswer(host, delivery.event, block);
      },
    );
    done();
  };
}
