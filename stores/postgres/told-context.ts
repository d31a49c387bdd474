import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { TenantTransaction } from './database.ts';
import type { ContextPurpose } from './memory-uses.ts';

/** What a context was asked about, as a hash: what a prompt says is stored once, with the prompt. */
export function subjectOf(purpose: 'prompt' | 'file', asked: string): Uint8Array {
  return createHash('sha256').update(`${purpose}\u0000${asked}`, 'utf8').digest();
}

export interface ToldScope {
  readonly sessionId: string;
  readonly userId: string;
  readonly subject: Uint8Array;
}

/** What a session was given by hooks and by asking, since it was last started. */
export interface Told {
  /** Memories that stood in blocks before the same was asked for the first time. */
  readonly memoryIds: ReadonlySet<string>;
  /** The same was asked before, and something was given. */
  readonly isAskedAgain: boolean;
}

export const NOTHING_TOLD: Told = { memoryIds: new Set(), isAskedAgain: false };

/** Blocks of one session that are looked at: the newest. A session that was given more has most of them behind a compaction. */
const MAX_CONTEXTS = 200;

const contextRow = z.object({
  purpose: z.enum(['session_start', 'prompt', 'file'] satisfies ContextPurpose[]),
  is_same: z.boolean(),
  item_ids: z.array(z.string()),
});

/**
 * What the session knows already by what it was given. What came before its last start counts no more: a compaction has taken it from the
 * agent. What came after the same was first asked does not count either, so that asking again gives the same block.
 */
export async function readTold(transaction: TenantTransaction, scope: ToldScope): Promise<Told> {
  const rows = z.array(contextRow).parse(
    await transaction.$queryRaw`
      SELECT purpose, subject IS NOT DISTINCT FROM ${scope.subject}::bytea AS is_same, item_ids FROM contexts
       WHERE session_id = ${scope.sessionId}::uuid AND user_id = ${scope.userId}::uuid ORDER BY id DESC LIMIT ${MAX_CONTEXTS}`,
  );
  const start = rows.findIndex((row) => row.purpose === 'session_start');
  const since = (start === -1 ? rows : rows.slice(0, start + 1)).toReversed();
  const first = since.findIndex((row) => row.is_same);
  const before = first === -1 ? since : since.slice(0, first);
  return { memoryIds: new Set(before.flatMap((row) => row.item_ids)), isAskedAgain: first !== -1 };
}
