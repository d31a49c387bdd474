import { z } from 'zod';
import { numeric } from './query.ts';
import { text } from './text.ts';

/** Pieces that several routes share. Names become component names in the OpenAPI document. */

export const errorSchema = z
  .object({
    error: z.string().describe('Message for users'),
    code: z.string().describe('Error code for programs'),
    details: z.array(
      z.object({
        field: z.string(),
        message: z.string(),
        id: z.string().optional().describe('Id of a memory or resource that the field refers to'),
        type: z.string().optional(),
        preview: z.string().optional(),
      }),
    ),
    request_id: z.string(),
  })
  .meta({ id: 'Error' });

/** Error responses of every route that needs a key; `api/auth.ts` adds them. */
export const ERROR_RESPONSES = {
  400: errorSchema,
  401: errorSchema,
  403: errorSchema,
  404: errorSchema,
  409: errorSchema,
  413: errorSchema,
  415: errorSchema,
  422: errorSchema,
  429: errorSchema,
  431: errorSchema,
  500: errorSchema,
  501: errorSchema,
  503: errorSchema,
} as const;

/** Ids and names that hosts give: printable, and short enough for an index. */
export const hostName = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]*$/, 'letters, digits, dot, dash and underscore');
export const externalId = text(256);
export const namespaceName = text(128);
const LEAP_DAY = /(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)-02-29/.source;
const YEAR = /(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])/.source;
const DAY =
  /(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))/
    .source;
const TIME = /T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?(?:Z|[+-](?:0[0-9]|1[0-5]):[0-5][0-9])/
  .source;
/** The fault of a text that is no {@link timestamp}. */
export const NO_TIMESTAMP = 'must be a time by RFC 3339, from the year 0001 on';
/** A moment by RFC 3339, with days as the calendar has them. PostgreSQL knows no year 0 and no zone further than 15 hours off. */
export const timestamp = z
  .string()
  .regex(new RegExp(`^(?:${LEAP_DAY}|${YEAR}-${DAY})${TIME}$`), NO_TIMESTAMP)
  .meta({ format: 'date-time' });
/**
 * A share from 0 to 1. PostgreSQL refuses to store a number as `real` that is nearer to zero than `real` can express, so
 * such a number counts as 0.
 */
export const share = z
  .number()
  .min(0)
  .max(1)
  .overwrite((value) => (Math.fround(value) === 0 ? 0 : value));
export const tagList = z.array(text(64)).max(32);

export const paginationSchema = z
  .object({
    page: z.number().int(),
    limit: z.number().int(),
    total: z.number().int(),
    total_pages: z.number().int(),
    has_next: z.boolean(),
    has_prev: z.boolean(),
    next_cursor: z.string().nullable(),
  })
  .meta({ id: 'Pagination' });

const behindCursor = z.number().int().nullable();

/** Of a list that is read by cursor: its rows are counted once, for the first page. */
export const cursorPaginationSchema = paginationSchema
  .extend({
    total: behindCursor.describe('Number of rows of the list; null in an answer to a `cursor`'),
    total_pages: behindCursor,
    prev_cursor: z
      .string()
      .nullable()
      .optional()
      .describe('Cursor of the previous page; only of lists that are read in both directions'),
  })
  .meta({ id: 'CursorPagination' });

export const evidenceSchema = z
  .object({
    row_id: z.string(),
    quote: z.string().nullable().describe("Verbatim quote; null for another user's prompts and observations"),
  })
  .meta({ id: 'Evidence' });
export const citedTextSchema = z
  .object({ text: z.string(), evidence: z.array(evidenceSchema) })
  .meta({ id: 'CitedText' });

/** The id of a row in the path. */
export const idParams = z.object({ id: z.uuid() });

/** `page` and `limit` of a list. */
export const pageQuery = {
  page: numeric(z.number().int().min(1).max(100_000)).prefault(1),
  limit: numeric(z.number().int().min(1).max(100)).prefault(20),
};

/** Opaque position in a list: `next_cursor` of the previous page. */
export const cursorQuery = {
  cursor: z
    .string()
    .min(1)
    .max(512)
    .regex(/^[A-Za-z0-9_-]+$/, 'letters, digits, dash and underscore')
    .optional()
    .describe(
      '`next_cursor` of the previous page of the same list; `page` is then ignored, and the rows are not counted',
    ),
};

/** Names the context that served what is fetched. */
export const usedIn = z
  .uuid()
  .optional()
  .describe('Id of the context that served the memory; the fetch then counts as a use, once per context');

/** A page of a list. */
export const pageOfItems = <Item extends z.ZodType>(item: Item) =>
  z.object({ data: z.array(item), pagination: paginationSchema });

/** A page of a list that is read by cursor. */
export const cursorPageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ data: z.array(item), pagination: cursorPaginationSchema });

/** `limit` and `cursor` of a list that is read from the newest item on. */
export const newestQuery = z.strictObject({
  limit: pageQuery.limit,
  cursor: z.uuid().optional().describe('`next_cursor` of the previous page'),
});

/** A part of a list, newest first, without a total. */
export const newestOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    data: z.array(item),
    pagination: z.object({ limit: z.number().int(), next_cursor: z.string().nullable() }),
  });

/** A complete list. */
export const dataOf = <Item extends z.ZodType>(item: Item) => z.object({ data: z.array(item) });
