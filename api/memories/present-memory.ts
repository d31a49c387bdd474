import type { z } from 'zod';
import type { Memory } from '../../domain/memory.ts';
import { memoryHash } from '../../domain/memory.ts';
import type { memorySchema } from '../../contract/memory.ts';
import { previewOf } from '../../domain/capture/build-event.ts';
/** Returns a memory outside of a search: without score and highlights. */
export function presentMemory(memory: Memory): z.output<typeof memorySchema> {
  return {
    id: memory.id,
    hash: memoryHash(memory.id),
    type: memory.type,
    kind: memory.kind,
    title: memory.title,
    content: memory.content,
    preview: previewOf(memory.content),
    score: 0,
    session:
      memory.session === null
        ? null
        : { id: memory.session.id, external_id: memory.session.externalId, title: memory.session.title },
    key: memory.key,
    sources: [...memory.sources],
    project: memory.projectName,
    namespace: memory.namespace,
    tags: [...memory.tags],
    tool: memory.tool,
    occurred_at: memory.occurredAt,
    created_at: memory.createdAt,
    highlights: [],
  };
}
