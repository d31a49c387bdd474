import { z } from 'zod';
import { CONTEXT_PURPOSES, USE_KINDS } from '../../../domain/context/served.ts';
import { leastIdAt } from '../../../domain/ids.ts';
import { MEMORY_TYPES } from '../../../domain/ports/vector-index.ts';
import { Prisma } from '../../../prisma/generated/client.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { rowOf } from '../connection/rows.ts';
import { isNotRestricted } from '../erasure/restricted.ts';
import type { ContextPurpose } from './memory-uses.ts';

const listed = {
  id: z.string(),
  purpose: z.enum(CONTEXT_PURPOSES),
  user_id: z.string(),
  session_id: z.string().nullable(),
  session_title: z.string().nullable(),
  project_id: z.string().nullable(),
  project_name: z.string().nullable(),
  tokens: z.number(),
  items: z.number(),
  useful: z.number(),
  fetched: z.number(),
  wrong: z.number(),
  created_at: z.date(),
};
const listedRow = rowOf(listed);

/** A served context, without its items. */
export type ListedContext = z.output<typeof listedRow>;

export interface ContextFilter {
  /** User whose contexts are shown; undefined: an admin, who sees all. */
  readonly viewerId: string | undefined;
  readonly sessionId: string | undefined;
  readonly projectId: string | undefined;
  readonly purpose: ContextPurpose | undefined;
  readonly since: Date | undefined;
  /** Exclusive. */
  readonly until: Date | undefined;
}

const COLUMNS = Prisma.sql`
  c.id, c.purpose, c.user_id, c.session_id, s.title AS session_title, c.project_id, p.display_name AS project_name, c.tokens, cardinality(c.item_ids) AS items,
  u.useful, u.fetched, u.wrong, c.created_at`;
const JOINED = Prisma.sql`
  LEFT JOIN sessions s ON s.id = c.session_id
  LEFT JOIN projects p ON p.id = c.project_id
 CROSS JOIN LATERAL (
   SELECT (count(*) FILTER (WHERE kind = 'useful'))::integer AS useful, (count(*) FILTER (WHERE kind = 'fetched'))::integer AS fetched,
          (count(*) FILTER (WHERE kind = 'wrong'))::integer AS wrong FROM memory_uses WHERE context_id = c.id) AS u`;
const SHOWN = Prisma.raw(isNotRestricted('c.session_id', 'c.user_id'));

/** Returns served contexts, newest first, from before the one with the id `before` on; null: from the newest on. */
export async function listContexts(
  transaction: TenantTransaction,
  { viewerId, sessionId, projectId, purpose, since, until }: ContextFilter,
  { before, limit }: { readonly before: string | null; readonly limit: number },
): Promise<ListedContext[]> {
  // Only conditions that are given: each has an index in the order of the list.
  const conditions = [
    SHOWN,
    ...(viewerId === undefined ? [] : [Prisma.sql`c.user_id = ${viewerId}::uuid`]),
    ...(sessionId === undefined ? [] : [Prisma.sql`c.session_id = ${sessionId}::uuid`]),
    ...(projectId === undefined ? [] : [Prisma.sql`c.project_id = ${projectId}::uuid`]),
    ...(purpose === undefined ? [] : [Prisma.sql`c.purpose = ${purpose}`]),
    ...(since === undefined ? [] : [Prisma.sql`c.id >= ${idAt(since)}::uuid`]),
    ...(until === undefined ? [] : [Prisma.sql`c.id < ${idAt(until)}::uuid`]),
    ...(before === null ? [] : [Prisma.sql`c.id < ${before}::uuid`]),
  ];
  return z.array(listedRow).parse(
    await transaction.$queryRaw`
      SELECT ${COLUMNS}
        FROM (SELECT * FROM contexts c WHERE ${Prisma.join(conditions, ' AND ')} ORDER BY c.id DESC LIMIT ${limit}) AS c
        ${JOINED} ORDER BY c.id DESC`,
  );
}

/** Ids are ordered by time; those before 1970 do not exist. */
function idAt(time: Date): string {
  return leastIdAt(Math.max(0, time.getTime()));
}

const detailRow = rowOf({
  ...listed,
  item_ids: z.array(z.string()),
  item_types: z.array(z.enum(MEMORY_TYPES)),
  item_reasons: z.array(z.string()),
  item_tokens: z.array(z.number()),
  uses: z.array(z.object({ id: z.string(), kind: z.enum(USE_KINDS), note: z.string().nullable() })),
});

/** A served context with its items and the feedback on them. */
export type ContextDetail = z.output<typeof detailRow>;

/** Returns a served context; null if it does not exist, is restricted, or was served to another user than `viewerId` (undefined: any). */
export async function readContext(
  transaction: TenantTransaction,
  id: string,
  viewerId: string | undefined,
): Promise<ContextDetail | null> {
  const rows = await transaction.$queryRaw`
    SELECT ${COLUMNS}, c.item_ids, c.item_types, c.item_reasons, c.item_tokens,
           coalesce((SELECT jsonb_agg(jsonb_build_object('id', m.resource_id, 'kind', m.kind, 'note', m.note) ORDER BY m.created_at, m.kind)
                       FROM memory_uses m WHERE m.context_id = c.id), '[]') AS uses
      FROM contexts c ${JOINED}
     WHERE c.id = ${id}::uuid AND (${viewerId ?? null}::uuid IS NULL OR c.user_id = ${viewerId ?? null}::uuid) AND ${SHOWN}`;
  return z.array(detailRow).parse(rows)[0] ?? null;
}
