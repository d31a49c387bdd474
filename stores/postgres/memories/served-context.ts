import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { TenantTransaction } from '../connection/database.ts';
import type { ContextPurpose } from './memory-uses.ts';
import { passagePlaces } from './passage-places.ts';

/** What a context was asked about, as a hash: what a prompt says is stored once, with the prompt. */
export function subjectOf(purpose: 'prompt' | 'file', asked: string): Uint8Array {
  return createHash('sha256').update(`${purpose}\u0000${asked}`, 'utf8').digest();
}

export interface ToldScope {
  readonly sessionId: string;
  readonly userId: string;
  readonly subject: Uint8Array;
}

/** What a session was given by hooks and by asking, since it last started or was compacted, and before the same was asked for the first time. */
export interface ServedMemories {
  /** Memories that the start of the session was told a line of. */
  readonly atStart: ReadonlySet<string>;
  /** Places of the passages that were told of a memory for a prompt or a file, by its id. */
  readonly passages: ReadonlyMap<string, ReadonlySet<number>>;
  /** The same was asked before, and something was given. */
  readonly isAskedAgain: boolean;
}

export const NOTHING_TOLD: ServedMemories = { atStart: new Set(), passages: new Map(), isAskedAgain: false };

/** Blocks of one session that are looked at: the newest. A session that was given more has most of them behind a compaction. */
const MAX_CONTEXTS = 200;

const contextRow = z.object({
  purpose: z.enum(['session_start', 'prompt', 'file'] satisfies ContextPurpose[]),
  is_same: z.boolean(),
  item_ids: z.array(z.string()),
  item_passages: z.array(z.string()),
});

type ContextRow = z.output<typeof contextRow>;

function passagesTold(rows: readonly ContextRow[]): Map<string, Set<number>> {
  const told = new Map<string, Set<number>>();
  for (const { item_ids: ids, item_passages: passages } of rows)
    for (const [n, text] of passages.entries()) {
      const id = ids[n];
      if (id === undefined || text === '') continue;
      told.set(id, new Set([...(told.get(id) ?? []), ...passagePlaces(text)]));
    }
  return told;
}

/**
 * What the session knows already by what it was given. What came before its last start or compaction counts no more, also where a start was
 * told nothing: it was taken from the agent. What came after the same was first asked does not count either, so that asking again gives the
 * same block.
 */
export async function readServed(transaction: TenantTransaction, scope: ToldScope): Promise<ServedMemories> {
  const rows = z.array(contextRow).parse(
    await transaction.$queryRaw`
      SELECT purpose, subject_sha256 IS NOT DISTINCT FROM ${scope.subject}::bytea AS is_same, item_ids, item_passages FROM contexts
       WHERE session_id = ${scope.sessionId}::uuid AND user_id = ${scope.userId}::uuid
         AND created_at > coalesce((SELECT b.created_at FROM boundaries b
               WHERE b.session_id = ${scope.sessionId}::uuid AND b.kind IN ('session_start', 'compaction') AND b.agent_id IS NULL
               ORDER BY b.seq DESC LIMIT 1), '-infinity')
       ORDER BY id DESC LIMIT ${MAX_CONTEXTS}`,
  );
  const start = rows.findIndex((row) => row.purpose === 'session_start');
  const since = (start === -1 ? rows : rows.slice(0, start + 1)).toReversed();
  const first = since.findIndex((row) => row.is_same);
  const before = first === -1 ? since : since.slice(0, first);
  return {
    atStart: new Set(before.flatMap((row) => (row.purpose === 'session_start' ? row.item_ids : []))),
    passages: passagesTold(before.filter((row) => row.purpose !== 'session_start')),
    isAskedAgain: first !== -1,
  };
}
