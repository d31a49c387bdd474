import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { translateHook } from '../../domain/capture/claude-code-hooks.ts';
import { holderOf, viewerOf } from '../auth.ts';
import { HOOK_BODY_BYTES } from '../body.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { ApiError } from '../errors.ts';
import { deliveryHeaders, deliveryOf } from '../intake/delivery.ts';
import { externalId, ERROR_RESPONSES, timestamp } from '../schemas/shared.ts';

/** What must be right in a hook's JSON; everything else is the host's own and is kept as it comes. */
const hookBody = z.looseObject({
  session_id: externalId,
  cwd: z.string().max(4096).optional(),
  hook_event_name: z.string().max(64).optional(),
  agent_id: z.string().max(256).optional(),
  agent_type: z.string().max(256).optional(),
  timestamp: timestamp.optional(),
  event_id: z.string().min(1).max(256).optional(),
});

const hookAnswer = z
  .object({
    hookSpecificOutput: z.object({ hookEventName: z.string(), additionalContext: z.string() }).optional(),
  })
  .meta({ id: 'HookAnswer' });

/** `POST /hooks/{event}`: a host's raw hook in, what that host may be answered out. */
export function hookRoutes({ intake, recall }: ApiDependencies): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.post(
      '/hooks/:event',
      {
        bodyLimit: HOOK_BODY_BYTES,
        config: { access: 'capture' },
        schema: {
          tags: ['capture'],
          summary: 'Take one hook of an agent host',
          description:
            'Raw Claude Code hook JSON. An unknown event is kept as an info observation. A session start is answered with context.',
          params: z.object({
            event: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'letters, digits, dash and underscore, at most 64'),
          }),
          headers: deliveryHeaders,
          body: hookBody,
          response: { 200: hookAnswer, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const holder = holderOf(request);
        const { event } = request.params;
        const translated = translateHook(event, request.body, deliveryOf(request.headers));
        if (translated !== null) {
          const [result] = await intake.capture([translated], { tenantId: holder.tenantId, userId: holder.userId });
          if (result?.status === 'rejected') throw new ApiError('SESSION_DELETED', 'the session was deleted');
          if (result === undefined || result.status === 'refused')
            throw new ApiError('EVENT_REFUSED', 'the store does not take this event');
        }
        if (event !== 'SessionStart' || !holder.scopes.includes('read')) return {};
        const block = await recall
          .contextForHook(holder.tenantId, viewerOf(holder), translated)
          .catch((error: unknown) => {
            // Context is a gift: a session must start without it when recall is away.
            request.log.warn(
              { error: error instanceof Error ? error.name : 'unknown' },
              'no context for a session start',
            );
            return '';
          });
        return block === '' ? {} : { hookSpecificOutput: { hookEventName: event, additionalContext: block } };
      },
    );
    done();
  };
}
