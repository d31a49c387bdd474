import { chunkObjectId, newId, type RowId, type TenantId } from '../../../domain/ids.ts';
import type { IndexChunk } from '../../../domain/ports/vector-index.ts';

/** Short vectors: the index does not care, and a test can see through them. */
export const DIMENSION = 4;
export const MODEL = 'test-model-v1.0-q@2';

/** A unit vector along one axis, bent a little towards the next. */
export function vectorAlong(axis: number, bend = 0): Float32Array {
  const vector = new Float32Array(DIMENSION);
  vector[axis % DIMENSION] = Math.sqrt(1 - bend * bend);
  vector[(axis + 1) % DIMENSION] = bend;
  return vector;
}

/** A chunk with plain values where a test names none. */
export function chunkOf(tenantId: TenantId, own: Partial<IndexChunk> = {}): IndexChunk {
  const memoryId = own.memoryId ?? newId<RowId>();
  const chunk = own.chunk ?? 0;
  const rowId: RowId = newId();
  return {
    objectId: chunkObjectId(tenantId, rowId, chunk, MODEL),
    memoryId,
    memoryType: 'observation',
    chunk,
    title: 'Untitled',
    purpose: '',
    text: 'nothing in particular',
    projectId: null,
    sessionId: null,
    namespace: 'default',
    ownerId: null,
    kind: null,
    tool: null,
    tags: [],
    occurredAt: '2026-05-02T10:00:00.000Z',
    vector: vectorAlong(0),
    ...own,
  };
}
