import { z } from 'zod';
import type { CONTEXT_PURPOSES, USE_KINDS } from '../../../domain/context/served.ts';
import { leastIdAt, newId } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import { MEMORY_TYPES } from '../../../domain/ports/vector-index.ts';
import type { MemoryType } from '../../../domain/ports/vector-index.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { passagesText } from './served-context.ts';

export type ContextPurpose = (typeof CONTEXT_PURPOSES)[number];

/** Items of a served context block. */
export interface ServedContext {
  readonly tenantId: TenantId;
  readonly userId: string;
  readonly sessionId: string | null;
  readonly projectId: string | null;
  readonly purpose: ContextPurpose;
  /** {@link subjectOf} the prompt or file; null for a session start. */
  readonly subject: Uint8Array | null;
  readonly tokens: number;
  readonly items: readonly {
    readonly id: string;
    readonly type: MemoryType;
    /** In the product's own words. */
    readonly reason: string;
    readonly tokens: number;
    /** Positions of its served passages; empty if it was served as one line. */
    readonly passages: readonly number[];
  }[];
}

/**
 * Records what was served, in one insert; returns the context's id. Does not count as a use of a memory. An agent waits meanwhile, so the
 * commit does not wait for the disk: a crash within the same second may lose the record, and with it only the possibility of feedback.
 */
export async function recordContext(transaction: TenantTransaction, served: ServedContext): Promise<string> {
  const id = newId();
  await transaction.$executeRaw`
    WITH quick AS (SELECT set_config('synchronous_commit', 'off', true))
    INSERT INTO contexts (id, tenant_id, user_id, session_id, project_id, purpose, subject_sha256, tokens, item_ids, item_types, item_passages, item_reasons, item_tokens)
    SELECT ${id}::uuid, ${served.tenantId}::uuid, ${served.userId}::uuid, ${served.sessionId}::uuid, ${served.projectId}::uuid, ${served.purpose}, ${served.subject}::bytea, ${served.tokens},
            ${served.items.map((item) => item.id)}::uuid[], ${served.items.map((item) => item.type)}::text[],
            ${served.items.map((item) => passagesText(item.passages))}::text[], ${served.items.map((item) => item.reason)}::text[],
            ${served.items.map((item) => item.tokens)}::integer[] FROM quick`;
  return id;
}

const contextRow = z.object({ item_ids: z.array(z.string()), item_types: z.array(z.enum(MEMORY_TYPES)) });

/** Returns the items of a context, by memory; null if it does not exist or was served to another user than `userId` (undefined: any). */
export async function readServed(
  transaction: TenantTransaction,
  contextId: string,
  userId: string | undefined,
): Promise<ReadonlyMap<string, MemoryType> | null> {
  const rows = z.array(contextRow).parse(
    await transaction.$queryRaw`
      SELECT item_ids, item_types FROM contexts WHERE id = ${contextId}::uuid AND (${userId ?? null}::uuid IS NULL OR user_id = ${userId ?? null}::uuid)`,
  );
  const [row] = rows;
  if (row === undefined) return null;
  return new Map(row.item_ids.map((id, index) => [id, row.item_types[index] ?? 'summary']));
}

/** Agents mostly fetch a hash that they were shown in the same session; an older context may not be its source. */
const FETCHED_WITHIN_MS = 12 * 3_600_000;
/** Number of a user's newest contexts that are read. */
const MAX_RECENT = 500;

const servingRow = z.object({ context_id: z.string(), id: z.string(), type: z.enum(MEMORY_TYPES) });

/** The user's newest context that served each of these memories within the last 12 hours, with those that it served. */
export async function readServing(
  transaction: TenantTransaction,
  userId: string,
  memoryIds: readonly string[],
  now: number,
): Promise<ReadonlyMap<string, ReadonlyMap<string, MemoryType>>> {
  const rows = z.array(servingRow).parse(
    await transaction.$queryRaw`
      SELECT DISTINCT ON (item.id) item.id, recent.id AS context_id, item.type
        FROM (SELECT id, item_ids, item_types FROM contexts
               WHERE user_id = ${userId}::uuid AND id >= ${leastIdAt(now - FETCHED_WITHIN_MS)}::uuid
               ORDER BY id DESC LIMIT ${MAX_RECENT}) AS recent,
             unnest(recent.item_ids, recent.item_types) AS item(id, type)
       WHERE item.id = ANY (${memoryIds}::uuid[])
       ORDER BY item.id, recent.id DESC`,
  );
  return new Map(
    [...Map.groupBy(rows, (row) => row.context_id)].map(([contextId, served]) => [
      contextId,
      new Map(served.map(({ id, type }) => [id, type])),
    ]),
  );
}

/** Signs that a memory was of use, or the opposite. */
export type UseKind = (typeof USE_KINDS)[number];

export interface UsesOfContext {
  readonly tenantId: TenantId;
  readonly userId: string;
  readonly contextId: string;
  readonly kind: UseKind;
  readonly memories: readonly { readonly id: string; readonly type: MemoryType }[];
  readonly note: string | null;
}

/** Feedback that is new for this context: repeated feedback does not count. */
export interface CountedUses {
  readonly recorded: number;
  /** Learnings whose use or confidence changed. */
  readonly learnings: number;
}

/** One sign of being wrong leaves this share of the confidence, and never less than the floor. */
const WRONG_SHARE = 0.75;
const LEAST_CONFIDENCE = 0.05;

/**
 * Records what a context's memories proved to be. Of one context a memory's use grows by one at most, whichever sign comes first: found
 * useful, or fetched. One that is found wrong loses a quarter of its confidence, down to 0.05. Closed learnings do not change.
 */
export async function recordUses(transaction: TenantTransaction, uses: UsesOfContext): Promise<CountedUses> {
  const memories = uses.memories.toSorted((a, b) => a.id.localeCompare(b.id));
  if (memories.length === 0) return { recorded: 0, learnings: 0 };
  // Feedback on one context is serialised, so that two concurrent requests are not both the first.
  await transaction.$executeRaw`SELECT FROM contexts WHERE id = ${uses.contextId}::uuid FOR UPDATE`;
  const recorded = z.array(z.object({ resource_id: z.string(), weight: z.number() })).parse(
    await transaction.$queryRaw`
      INSERT INTO memory_uses (context_id, resource_id, kind, tenant_id, user_id, resource_type, weight, note)
      SELECT ${uses.contextId}::uuid, given.id, ${uses.kind}, ${uses.tenantId}::uuid, ${uses.userId}::uuid, given.type,
             CASE WHEN ${uses.kind} = 'wrong' OR EXISTS (SELECT FROM memory_uses u WHERE u.context_id = ${uses.contextId}::uuid AND u.resource_id = given.id AND u.weight > 0)
                  THEN 0 ELSE 1 END, ${uses.note}
        FROM unnest(${memories.map((memory) => memory.id)}::uuid[], ${memories.map((memory) => memory.type)}::text[]) AS given(id, type)
      ON CONFLICT DO NOTHING RETURNING resource_id, weight`,
  );
  const changed = recorded.filter((row) => uses.kind === 'wrong' || row.weight > 0).map((row) => row.resource_id);
  const isWrong = uses.kind === 'wrong';
  const learnings = await transaction.$executeRaw`
    WITH locked AS (SELECT id FROM learnings WHERE id = ANY (${changed}::uuid[]) AND valid_to IS NULL ORDER BY id FOR UPDATE)
    UPDATE learnings l
       SET confidence = CASE WHEN ${isWrong} THEN least(l.confidence, greatest(${LEAST_CONFIDENCE}::real, l.confidence * ${WRONG_SHARE}::real)) ELSE l.confidence END,
           use_count = l.use_count + CASE WHEN ${isWrong} THEN 0 ELSE 1 END, use_weight = l.use_weight + CASE WHEN ${isWrong} THEN 0 ELSE 1 END,
           last_used_at = CASE WHEN ${isWrong} THEN l.last_used_at ELSE now() END, updated_at = now()
      FROM locked WHERE l.id = locked.id`;
  return { recorded: recorded.length, learnings };
}

const weightRow = z.object({ id: z.string(), use_weight: z.number() });

/** Returns the use weight of learnings for ranking, by id: decayed, at the start of the UTC day. */
export async function readUseWeights(
  transaction: TenantTransaction,
  ids: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (ids.length === 0) return new Map();
  const rows = await transaction.$queryRaw`
    SELECT id, use_weight_at_day_start(id, use_weight) AS use_weight FROM learnings WHERE id = ANY (${ids}::uuid[])`;
  return new Map(
    z
      .array(weightRow)
      .parse(rows)
      .map((row) => [row.id, row.use_weight]),
  );
}
