import { Readable } from 'node:stream';
import { z } from 'zod';
import { streamHeaders, streamQuery } from '../../contract/stream.ts';
import type { StreamFilter } from '../../domain/stream.ts';
import { findProject } from '../../stores/postgres/projects/projects.ts';
import type { Principal } from '../../stores/postgres/access/principal.ts';
import { principalOf, route, tokenOf, viewOf } from '../auth.ts';
import type { Api, ApiDependencies } from '../dependencies.ts';
import { existing } from '../errors.ts';
import { onClosed } from '../http/on-closed.ts';
import { sessionIdOf } from '../subjects.ts';

/** Text that waits in a stream for a slow reader, in bytes. */
const WAITING_BYTES = 16 * 1024;

/** `GET /stream/events`: committed changes as Server-Sent Events. */
export function streamRoutes(app: Api, { database, events }: ApiDependencies): void {
  /** @throws ApiError NOT_FOUND */
  const filterOf = (principal: Principal, query: z.output<typeof streamQuery>): Promise<StreamFilter> =>
    database.asTenant(viewOf(principal), async (transaction) => ({
      types: query.type ?? null,
      projectId:
        query.project === undefined ? null : existing(await findProject(transaction, query.project), 'project').id,
      sessionId: query.session === undefined ? null : await sessionIdOf(transaction, principal, query.session),
    }));

  // An open response would never let the server close.
  app.addHook('preClose', async () => events.close());
  app.get(
    '/stream/events',
    {
      // An answer to HEAD would be read to its end.
      exposeHeadRoute: false,
      ...route('read', {
        tags: ['stream'],
        summary: 'Follow changes as Server-Sent Events',
        description:
          'Events in the order of their ids, each once, with ids and states, never content. A stream continues after Last-Event-ID for a day; the event `reset` reports missing events. `beat` comes every 15 seconds. The response ends when the credential does.',
        querystring: streamQuery,
        headers: streamHeaders,
        response: {
          200: {
            description: 'The events',
            content: { 'text/event-stream': { schema: z.union([z.string(), z.instanceof(Readable)]) } },
          },
        },
      }),
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { query } = request;
      // The header is newer: a browser repeats the address.
      const given = request.headers['last-event-id'] || query.last_event_id;
      const { frames, close } = await events.open({
        principal,
        token: tokenOf(request),
        view: viewOf(principal),
        filter: await filterOf(principal, query),
        after: given === undefined ? null : Number(given),
        follows: query.follow,
        disconnect: () => reply.raw.destroy(),
      });
      onClosed(reply, close);
      return (
        reply
          .type('text/event-stream; charset=utf-8')
          .header('cache-control', 'no-store')
          // Without it nginx collects the events.
          .header('x-accel-buffering', 'no')
          .send(Readable.from(frames, { objectMode: false, highWaterMark: WAITING_BYTES }))
      );
    },
  );
}
