import { asId, chunkObjectId, newId, type RowId, type TenantId } from '../../../domain/ids.ts';
import { indexNameOf } from '../../../domain/index-model.ts';
import type { IndexChunk } from '../../../domain/ports/vector-index.ts';

/** Short vectors: the index does not care, and a test can see through them. */
export const DIMENSION = 4;
export const MODEL = indexNameOf('test-model-v1.0-q');

/** A unit vector along one axis, bent a little towards the next. */
export function vectorAlong(axis: number, bend = 0): Float32Array {
  const vector = new Float32Array(DIMENSION);
  vector[axis % DIMENSION] = Math.sqrt(1 - bend * bend);
  vector[(axis + 1) % DIMENSION] = bend;
  return vector;
}

/** Returns a chunk with the given values, and plain ones for the rest; its object id is that of the model's index. */
export function chunkOf(tenantId: TenantId, own: Partial<IndexChunk> = {}, model = MODEL): IndexChunk {
  const memoryId = own.memoryId ?? newId<RowId>();
  const chunk = own.chunk ?? 0;
  return {
    objectId: chunkObjectId(tenantId, asId<RowId>(memoryId), chunk, model),
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
