import { MEMORY_TYPES, type MemoryType, type RecallHit } from '../../domain/ports/vector-index.ts';
import type { ChunkProperties } from './schema.ts';
import type { FoundObject } from './messages.ts';

/** Properties of an object that a hit is built from. */
export const RETURNED = [
  'memory_id',
  'memory_type',
  'session_id',
  'kind',
  'tool',
  'chunk',
] as const satisfies readonly (keyof ChunkProperties)[];

function textOf(value: string | number | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

/** Returns a found object as a hit; undefined if Recollect did not write it. */
export function hitOf({ properties }: FoundObject, score: number): RecallHit | undefined {
  const [memoryId, type, sessionId, kind, tool, chunk] = RETURNED.map((name) => properties.get(name));
  const memoryType = MEMORY_TYPES.find((known): known is MemoryType => known === type);
  if (typeof memoryId !== 'string' || memoryType === undefined || typeof chunk !== 'number') return undefined;
  return {
    memoryId,
    memoryType,
    sessionId: textOf(sessionId),
    kind: textOf(kind),
    tool: textOf(tool),
    chunk,
    score,
  };
}
