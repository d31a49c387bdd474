/** Types of items of the feed. A session is an item at its first event (kind `started`), and another one at its end (`ended`). */
export const FEED_TYPES = ['session', 'prompt', 'observation', 'summary', 'learning'] as const;
export type FeedType = (typeof FEED_TYPES)[number];

export const FEED_LEVELS = ['info', 'warning', 'error'] as const;

/** Widths of buckets by name, in seconds. */
export const BUCKET_SECONDS = { hour: 3_600, day: 86_400, week: 604_800 } as const;
export const BUCKETS = ['hour', 'day', 'week'] as const;

/** Most buckets of one density. */
export const MAX_BUCKETS = 1_000;
