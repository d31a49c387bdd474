import { z } from 'zod';
import { principalOf } from '../../auth.ts';
import { captureWithin } from '../../bounds.ts';
import { HOOK_BODY_BYTES } from '../../http/body.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { ApiError } from '../../errors.ts';
import { deliveryOf, rejectionOf } from '../../intake/check-event.ts';
import { HEAVY_CHARS } from '../../intake/intake.ts';
import type { Incoming } from '../../intake/intake.ts';
import { deliveryHeaders, hookAnswer, hookBody, hookQuery, SOURCE_HEADER } from '../../../contract/events.ts';
import type { HookHost } from '../../../domain/capture/hook-hosts.ts';
import { mappingOf, readHook, withKnownSession } from '../../intake/read-hook.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** A body that is parsed beside the event loop; else null. */
    bytes: Buffer | null;
  }
}

/** Bodies from this size on are read beside the event loop. */
const HEAVY_BODY_BYTES = HEAVY_CHARS;

function contextAnswer(host: HookHost, event: string, block: string): z.output<typeof hookAnswer> {
  switch (mappingOf(host)?.context_answer) {
    case 'additional_context':
      return { additional_context: block };
    case 'context_modification':
      return { contextModification: block };
    // Hosts without a form show no context, and request none.
    case 'hook_specific_output':
    case undefined:
      return { hookSpecificOutput: { hookEventName: event, additionalContext: block } };
  }
}

/** `POST /hooks/{event}`: a host's raw hook in, what that host may be answered out. */
export function hookRoutes(app: Api, { database, heavy, intake, recall }: ApiDependencies): void {
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
        summary: 'Capture one hook of an agent host',
        description:
          'Captures raw hook JSON of Claude Code, or of the host in the query. Stores an unknown event as an info observation. Returns context for a session start, a prompt or a file about to be read, if there is any.',
        params: z.object({
          event: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'letters, digits, dash and underscore, at most 64'),
        }),
        querystring: hookQuery,
        headers: deliveryHeaders,
        body: hookBody,
        response: { 200: hookAnswer },
      },
    },
    async (request) => {
      const principal = principalOf(request);
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
        const [result] = await captureWithin({ database, intake }, principal, [event]);
        const stored = result?.status === 'accepted' || result?.status === 'duplicate';
        // An exclusion that the user configured is no error for the agent.
        const unwanted = result?.status === 'rejected' && result.reason !== 'deleted';
        if (stored || unwanted) return;
        const { code, message } = rejectionOf(result);
        throw new ApiError(code, message);
      };
      const { bytes } = request;
      const hook =
        bytes === null
          ? readHook(request.body, delivery)
          : await heavy.withHook(principal.userId, bytes, delivery, async (read) => {
              await capture(read.event);
              return { ...read, event: null };
            });
      await capture(hook.event);
      const { question } = hook;
      // No host waits for the response to a spooled event.
      if (question === null || delivery.source === 'spool' || !principal.scopes.includes('read')) return {};
      const session = { host, externalId: hook.sessionId, namespace };
      const block = await recall.contextForHook(principal, session, question).catch((error: unknown) => {
        // Context is optional: the agent must continue without it while recall is unavailable.
        request.log.warn({ error: error instanceof Error ? error.name : 'unknown' }, 'no context for a hook');
        return '';
      });
      return block === '' ? {} : contextAnswer(host, delivery.event, block);
    },
  );
}
