import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { TenantTransaction } from '../connection/database.ts';
import type { ContextPurpose } from './memory-uses.ts';

/** The positions of a memory's passages as stored in `item_passages`. */
export function passagesText(places: readonly number[]): string {
  return places.join(' ');
}

/** The places that such a text names. */
function passagePlaces(text: string): number[] {
  return text.split(' ').map(Number);
}

/** SHA-256 of the prompt or file of a context. */
export function subjectOf(purpose: 'prompt' | 'file', text: string): Uint8Array {
  return createHash('sha256').update(`${purpose}\u0000${text}`, 'utf8').digest();
}

export interface ServedScope {
  readonly sessionId: string;
  readonly userId: string;
  readonly subject: Uint8Array;
}

/** Memories served to a session by hooks and requests since its last start or compaction, up to the first equal request. */
export interface ServedMemories {
  /** Memories served as a line at the session start. */
  readonly atStart: ReadonlySet<string>;
  /** Positions of the passages served for prompts and files, by memory id. */
  readonly passages: ReadonlyMap<string, ReadonlySet<number>>;
  /** True if an equal request was served before. */
  readonly isRepeated: boolean;
}

export const NOTHING_SERVED: ServedMemories = { atStart: new Set(), passages: new Map(), isRepeated: false };

/** Number of the newest blocks of a session that are read; older ones are usually before a compaction. */
const MAX_CONTEXTS = 200;

const contextRow = z.object({
  purpose: z.enum(['session_start', 'prompt', 'file'] satisfies ContextPurpose[]),
  is_same: z.boolean(),
  item_ids: z.array(z.string()),
  item_passages: z.array(z.string()),
});

type ContextRow = z.output<typeof contextRow>;

function servedPassages(rows: readonly ContextRow[]): Map<string, Set<number>> {
  const places = new Map<string, Set<number>>();
  for (const { item_ids: ids, item_passages: passages } of rows)
    for (const [n, text] of passages.entries()) {
      const id = ids[n];
      if (id === undefined || text === '') continue;
      places.set(id, new Set([...(places.get(id) ?? []), ...passagePlaces(text)]));
    }
  return places;
}

/**
 * Returns the memories that the session's agent already has. Blocks before its last start or compaction do not count, even if that start was
 * served nothing: the agent lost them. Blocks after the first equal request do not count either, so that a repeated request returns the same
 * block.
 */
export async function readServed(transaction: TenantTransaction, scope: ServedScope): Promise<ServedMemories> {
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
    passages: servedPassages(before.filter((row) => row.purpose !== 'session_start')),
    isRepeated: first !== -1,
  };
}
