import { z } from 'zod';
import { densityAnswer, densityQuery, feedAnswer, feedItem, feedQuery } from '../../../contract/feed.ts';
import { timestamp } from '../../../contract/shared.ts';
import { previewOf } from '../../../domain/capture/build-event.ts';
import { BUCKET_SECONDS, FEED_TYPES, MAX_BUCKETS } from '../../../domain/feed.ts';
import type { Principal } from '../../../stores/postgres/access/principal.ts';
import { readDensity } from '../../../stores/postgres/feed/feed-density.ts';
import { readFeed } from '../../../stores/postgres/feed/feed.ts';
import type { FeedFilter, FeedItem, FeedPlace, FeedSide } from '../../../stores/postgres/feed/feed.ts';
import { principalOf, route, viewerOf, viewOf } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { invalid } from '../../errors.ts';
import { cursorOf, placeOf } from '../../http/paging.ts';
import { numbersOf, present } from '../../http/present.ts';
import { filterIds } from '../../subjects.ts';

const LIST = 'feed';
const cursorShape = z.strictObject({
  side: z.enum(['older', 'newer']),
  at: timestamp,
  id: z.uuid(),
  n: z.int().min(0).max(9),
});

function feedCursor(side: FeedSide, { at, id, n }: FeedPlace): string {
  return cursorOf(LIST, { side, at, id, n });
}

function presentItem(item: FeedItem): z.output<typeof feedItem> {
  const { sessionId, projectId, projectName } = item;
  return present(feedItem, {
    ...item,
    preview: previewOf(item.preview),
    session: sessionId === null ? null : { id: sessionId, title: item.sessionTitle },
    project: projectId === null || projectName === null ? null : { id: projectId, name: projectName },
  });
}

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 90;

/** Returns the range of a density and the width of its buckets. @throws ApiError VALIDATION_FAILED for an empty range or too many buckets */
function rangeOf({ since, until, bucket }: z.output<typeof densityQuery>, now: number) {
  const to = until === undefined ? now : Date.parse(until);
  const from = since === undefined ? to - DEFAULT_DAYS * DAY_MS : Date.parse(since);
  if (from >= to) throw invalid('since', 'must be before until');
  const seconds = typeof bucket === 'number' ? (to - from) / 1_000 / bucket : BUCKET_SECONDS[bucket];
  if ((to - from) / 1_000 / seconds > MAX_BUCKETS + 1e-6)
    throw invalid('since', `leaves more than ${MAX_BUCKETS} buckets; use wider ones`);
  // Rounded up to microseconds, so that there is no further bucket for a remainder.
  return {
    since: new Date(from).toISOString(),
    until: new Date(to).toISOString(),
    seconds: Math.ceil(seconds * 1e6) / 1e6,
    buckets: typeof bucket === 'number' ? bucket : Math.ceil((to - from) / 1_000 / seconds),
  };
}

/** `GET /feed` and `/feed/density`: what happened, newest first, and how much by time. */
export function feedRoutes(app: Api, { database, clock }: ApiDependencies): void {
  /** Returns the filter; null if the project or the session is unknown. */
  const filterOf = (
    principal: Principal,
    { type, project, session, since, until }: Omit<z.output<typeof feedQuery>, 'limit' | 'cursor'>,
  ): Promise<FeedFilter | null> => {
    const filter = { types: type ?? FEED_TYPES, viewerId: viewerOf(principal), since, until };
    if (project === undefined && session === undefined)
      return Promise.resolve({ ...filter, projectId: undefined, sessionId: undefined });
    return database.asTenant(viewOf(principal), async (transaction) => {
      const ids = await filterIds(transaction, principal, { project, session });
      return ids === null ? null : { ...filter, ...ids };
    });
  };

  app.get(
    '/feed',
    route('read', {
      tags: ['sessions'],
      summary: 'List what happened, newest first',
      description:
        'Starts and ends of sessions, prompts, observations, published summaries and current learnings, by the time at which they occurred. Prompts and observations are those of the caller, for admins of all users. `session` has precedence over `project`.',
      querystring: feedQuery,
      response: { 200: feedAnswer },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { limit, cursor, ...filters } = request.query;
      const given = placeOf(cursor, LIST, cursorShape);
      const side = given?.side ?? 'older';
      const filter = await filterOf(principal, filters);
      const page =
        filter === null
          ? { items: [], first: null, last: null, hasMore: false }
          : await database.readAsTenant(viewOf(principal), (read) =>
              readFeed(read, filter, { side, place: given, limit }),
            );
      const { first, last, hasMore } = page;
      const [newest, oldest] = side === 'older' ? [first ?? given, last] : [last ?? given, first ?? given];
      return {
        data: page.items.map(presentItem),
        older: oldest === null || (side === 'older' && !hasMore) ? null : feedCursor('older', oldest),
        newer: newest === null ? null : feedCursor('newer', newest),
        has_newer: side === 'older' ? given !== null : hasMore,
      };
    },
  );

  app.get(
    '/feed/density',
    route('read', {
      tags: ['sessions'],
      summary: 'Count what happened by time',
      description: `The items of the feed by buckets of time, at most ${MAX_BUCKETS}. Buckets begin at \`since\`: with the midnight of a time zone, days are its days.`,
      querystring: densityQuery,
      response: { 200: densityAnswer },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { since, until, seconds, buckets } = rangeOf(request.query, clock.now());
      const filter = await filterOf(principal, request.query);
      const counts =
        filter === null
          ? []
          : await database.readAsTenant(viewOf(principal), (read) =>
              readDensity(read, { ...filter, since, until, bucketSeconds: seconds, buckets }),
            );
      const data = [...Map.groupBy(counts, ({ at }) => at)].map(([at, of]) => ({
        at,
        total: of.reduce((sum, { count }) => sum + count, 0),
        capped: of.some((each) => each.is_capped),
        counts: numbersOf(FEED_TYPES, (type) => of.find((each) => each.type === type)?.count ?? 0),
      }));
      return { since, until, bucket_seconds: seconds, data };
    },
  );
}
