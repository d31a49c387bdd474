import { z } from 'zod';
import { BUCKETS, FEED_LEVELS, FEED_TYPES, MAX_BUCKETS } from '../domain/feed.ts';
import { numeric, oneOrMore } from './query.ts';
import { cursorQuery, pageQuery, timestamp } from './shared.ts';
import { text } from './text.ts';

const filters = {
  type: oneOrMore(FEED_TYPES).optional().describe('Types of items, separated by commas; default: all'),
  project: text(2048).optional().describe('Id, git remote, root path or name'),
  session: text(512).optional().describe('Id, or host:external id'),
  since: timestamp.optional(),
  until: timestamp.optional().describe('End of the time range, exclusive'),
};

export const feedQuery = z.strictObject({
  ...filters,
  limit: pageQuery.limit,
  cursor: cursorQuery.cursor.describe('`older` or `newer` of a page with the same filters'),
});

export const feedItem = z
  .object({
    id: z.string(),
    type: z.enum(FEED_TYPES),
    kind: z
      .string()
      .describe(
        '`started` or `ended` of a session, role of a prompt, type of an observation, type or item kind of a summary, category of a learning',
      ),
    title: z.string(),
    preview: z.string(),
    tool: z.string().nullable(),
    level: z.enum(FEED_LEVELS),
    session: z.object({ id: z.string(), title: z.string().nullable() }).nullable(),
    project: z.object({ id: z.string(), name: z.string() }).nullable(),
    occurred_at: z.string(),
  })
  .meta({ id: 'FeedItem' });

export const feedAnswer = z
  .object({
    data: z
      .array(feedItem)
      .describe('Newest first; fewer than `limit` although `older` is set if few match the filters'),
    older: z.string().nullable().describe('Cursor of older items; null: there are none'),
    newer: z.string().nullable().describe('Cursor of newer items, also of later ones; null: the feed is empty'),
    has_newer: z.boolean().describe('Whether newer items may exist already'),
  })
  .meta({ id: 'Feed' });

const buckets = numeric(z.number().int().min(1).max(MAX_BUCKETS));

export const densityQuery = z.strictObject({
  ...filters,
  since: timestamp.optional().describe('Start of the first bucket; default: 90 days before `until`'),
  until: timestamp.optional().describe('End of the time range, exclusive; default: now'),
  bucket: z
    .union([z.enum(BUCKETS), buckets], { error: `must be hour, day, week or a number from 1 to ${MAX_BUCKETS}` })
    .default('day')
    .describe('Width of a bucket, or the number of buckets of equal width'),
});

export const densityAnswer = z
  .object({
    since: z.string(),
    until: z.string(),
    bucket_seconds: z.number(),
    data: z
      .array(
        z.object({
          at: z.string(),
          total: z.number().int(),
          capped: z
            .boolean()
            .describe(
              'Whether there are more: counts end at 200,000 items of a type, divided by the number of buckets',
            ),
          counts: z.record(z.enum(FEED_TYPES), z.number().int()),
        }),
      )
      .describe('Buckets that are not empty, oldest first; `at` is the start'),
  })
  .meta({ id: 'FeedDensity' });
