import { z } from 'zod';

/** Pieces that several routes share. Names become component names in the OpenAPI document. */

export const errorSchema = z
  .object({
    error: z.string().describe('What is wrong, for people'),
    code: z.string().describe('What is wrong, for programs'),
    details: z.array(
      z.object({
        field: z.string(),
        message: z.string(),
        id: z.string().optional().describe('Of a memory that the field can mean'),
        type: z.string().optional(),
        preview: z.string().optional(),
      }),
    ),
    request_id: z.string(),
  })
  .meta({ id: 'Error' });

/** The error answers that every authenticated route can give. */
export const ERROR_RESPONSES = {
  400: errorSchema,
  401: errorSchema,
  403: errorSchema,
  404: errorSchema,
  409: errorSchema,
  413: errorSchema,
  415: errorSchema,
  422: errorSchema,
  500: errorSchema,
  503: errorSchema,
} as const;

/** Ids and names that hosts give: printable, and short enough for an index. */
export const hostName = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[a-z0-9][a-z0-9._-]*$/i, 'letters, digits, dot, dash and underscore');
export const externalId = z.string().min(1).max(256);
export const namespaceName = z.string().min(1).max(128);
/** PostgreSQL knows no year 0 and no zone further than 15 hours off. */
export const timestamp = z.iso
  .datetime({ offset: true, abort: true })
  .regex(/^(?!0000).*(?:Z|[+-](?:0\d|1[0-5]):\d\d)$/, 'a year from 0001 on, and an offset of less than 16 hours');
export const tagList = z.array(z.string().min(1).max(64)).max(32);

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

export const evidenceSchema = z
  .object({
    row_id: z.string(),
    quote: z.string().nullable().describe("Null for another user's prompts and observations"),
  })
  .meta({ id: 'Evidence' });
export const citedTextSchema = z
  .object({ text: z.string(), evidence: z.array(evidenceSchema) })
  .meta({ id: 'CitedText' });

/** `page` and `limit` of a list. */
export const pageQuery = {
  page: z.coerce.number().int().min(1).max(100_000).default(1),
  limit: z.coerce.number().int().min(1).max(100).default(20),
};

/** Pagination of a list that is read by page. */
export function paginationOf(page: number, limit: number, total: number): z.output<typeof paginationSchema> {
  const totalPages = Math.ceil(total / limit);
  return {
    page,
    limit,
    total,
    total_pages: totalPages,
    has_next: page < totalPages,
    has_prev: page > 1,
    next_cursor: null,
  };
}
