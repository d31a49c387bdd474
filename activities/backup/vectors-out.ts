import type pg from 'pg';
import { z } from 'zod';
import { asId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import { vectorLine, vectorFileKey } from '../../domain/backup/set-keys.ts';
import type { ManifestVectors } from './manifest.ts';
import type { ExportedObject, VectorIndex } from '../../domain/ports/vector-index.ts';
import { packFile } from './packed-file.ts';
import type { PackTarget } from './packed-file.ts';

const indexRow = z.object({ tenant_id: z.string(), model: z.string(), dimension: z.number(), objects: z.number() });
type IndexOfTenant = z.output<typeof indexRow>;

/** Returns the indexes that the snapshot's ledger lists as indexed. */
async function readIndexed(snapshot: pg.ClientBase): Promise<IndexOfTenant[]> {
  const { rows } = await snapshot.query(
    `SELECT tenant_id, model, dimension, count(*)::integer AS objects FROM embeddings WHERE state = 'indexed' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
  );
  return z.array(indexRow).parse(rows);
}

const ledgerRow = z.object({ object_id: z.string(), mark: z.string() });

/** Ledger rows by memory and chunk, which are indexed: the object id is not. */
const LEDGER = `
  SELECT e.object_id, concat_ws(' ', e.revision, extract(epoch FROM e.indexed_at)) AS mark
    FROM unnest($3::uuid[], $4::integer[]) AS o(resource_id, chunk)
    JOIN embeddings e ON e.resource_id = o.resource_id AND e.chunk = o.chunk AND e.model = $2
   WHERE e.tenant_id = $1 AND e.state = 'indexed'`;

async function readLedger(
  queries: Pick<pg.ClientBase, 'query'>,
  { tenant_id: tenantId, model }: IndexOfTenant,
  chunks: readonly { readonly memoryId: string; readonly chunk: number }[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await queries.query(LEDGER, [
    tenantId,
    model,
    chunks.map(({ memoryId }) => memoryId),
    chunks.map(({ chunk }) => chunk),
  ]);
  return new Map(
    z
      .array(ledgerRow)
      .parse(rows)
      .map((row) => [row.object_id, row.mark]),
  );
}

const chunkOf = z.object({ memory_id: z.guid(), chunk: z.int().nonnegative() });

export interface VectorSources {
  readonly vectors: Pick<VectorIndex, 'export'>;
  /** Reads the ledger of the snapshot. */
  readonly snapshot: pg.ClientBase;
  /** Reads the current ledger. */
  readonly live: pg.Pool;
}

/**
 * Returns the exported objects that belong to the snapshot: both its ledger and the current one list them as indexed, unchanged. A changed row
 * may already have another text's vector, since writers mark the ledger before they write the object.
 */
async function ofSnapshot(
  { snapshot, live }: VectorSources,
  index: IndexOfTenant,
  objects: readonly ExportedObject[],
): Promise<ExportedObject[]> {
  const readable = objects.flatMap((object) => {
    const read = chunkOf.safeParse(object.properties);
    return read.success && object.vector.length === index.dimension
      ? [{ object, memoryId: read.data.memory_id, chunk: read.data.chunk }]
      : [];
  });
  const [then, now] = await Promise.all([readLedger(snapshot, index, readable), readLedger(live, index, readable)]);
  return readable
    .map(({ object }) => object)
    .filter(({ objectId }) => then.has(objectId) && then.get(objectId) === now.get(objectId));
}

/** Writes the vectors of every tenant and index as numbered files. @throws VectorIndexUnavailable, ArchiveStoreError, the driver's errors */
export async function writeVectors(sources: VectorSources, target: PackTarget): Promise<ManifestVectors[]> {
  const written: ManifestVectors[] = [];
  for (const index of await readIndexed(sources.snapshot)) {
    const tenantId = asId<TenantId>(index.tenant_id);
    let objectCount = 0;
    const lines = async function* (): AsyncGenerator<Uint8Array> {
      for await (const objects of sources.vectors.export(tenantId, index.model, target.signal)) {
        const chosen = await ofSnapshot(sources, index, objects);
        objectCount += chosen.length;
        if (chosen.length > 0) yield Buffer.from(chosen.map(vectorLine).join(''));
      }
    };
    const file = await packFile(target, vectorFileKey(written.length), lines(), () => objectCount);
    written.push({
      tenantId,
      index: index.model,
      dimension: index.dimension,
      objects: objectCount,
      left: index.objects - objectCount,
      files: [file],
    });
  }
  return written;
}
