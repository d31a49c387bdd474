import { Readable } from 'node:stream';
import type pg from 'pg';
import { z } from 'zod';
import { asId, FIRST_ID } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import { BackupSetError } from '../../domain/backup/sets.ts';
import type { ManifestVectors } from '../backup/manifest.ts';
import type { ExportedObject, VectorIndex } from '../../domain/ports/vector-index.ts';
import type { ReadableSet } from '../backup/read-set.ts';
import { reportProgress } from '../heartbeat.ts';

/** Objects per batch. */
const BATCH_OBJECTS = 500;
/** One chunk and one vector are far smaller. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const NEWLINE = 0x0a;
/** Ledger rows per lookup in the index. */
const LOOKUP_ROWS = 500;

const line = z.object({
  id: z.uuid(),
  properties: z.record(z.string(), z.unknown()),
  vector: z.base64(),
});

async function* linesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of source) {
    const bytes: Buffer = rest.length === 0 ? Buffer.from(piece) : Buffer.concat([rest, piece]);
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, from)) {
      yield bytes.toString('utf8', from, end);
      from = end + 1;
    }
    rest = bytes.subarray(from);
    if (rest.length > MAX_LINE_BYTES) throw new BackupSetError('damaged', 'a line of vectors is too long');
  }
  if (rest.length > 0) yield rest.toString('utf8');
}

function objectOf(text: string, dimension: number): ExportedObject {
  const { id, properties, vector } = line.parse(JSON.parse(text));
  const bytes = Buffer.from(vector, 'base64');
  if (bytes.length !== dimension * Float32Array.BYTES_PER_ELEMENT)
    throw new BackupSetError('damaged', 'a vector and its index differ in dimension');
  // Copied: a Buffer's memory need not be aligned for floats.
  return { objectId: id, properties, vector: new Float32Array(new Uint8Array(bytes).buffer) };
}

const objectRows = z.array(z.object({ object_id: z.string() }));

/** Returns the objects that the restored ledger lists as indexed: erased ones are not written again. */
async function ofLedger(
  client: pg.Pool | pg.ClientBase,
  tenantId: string,
  index: string,
  objects: readonly ExportedObject[],
): Promise<ExportedObject[]> {
  const memories = objects.map(({ properties }) => z.uuid().nullable().catch(null).parse(properties['memory_id']));
  const { rows } = await client.query(
    "SELECT object_id FROM embeddings WHERE tenant_id = $1 AND model = $2 AND resource_id = ANY ($3::uuid[]) AND state = 'indexed'",
    [tenantId, index, memories],
  );
  const known = new Set(objectRows.parse(rows).map((row) => row.object_id));
  return objects.filter(({ objectId }) => known.has(objectId));
}

/** Batches that are written at once: the server uses one core for each. */
const LOADS = 2;

/** Loads one tenant's index from a backup. The next batches are read and checked while others are written. Repeatable. */
export async function loadVectors(
  client: pg.Pool | pg.ClientBase,
  set: ReadableSet,
  { tenantId, index, dimension, files }: ManifestVectors,
  vectors: VectorIndex,
  onObjects: (count: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const tenant = asId<TenantId>(tenantId);
  const batchOf = async (read: readonly ExportedObject[]) => ({
    read: read.length,
    wanted: await ofLedger(client, tenantId, index, read),
  });
  async function* batches() {
    for (const file of files) {
      let read: ExportedObject[] = [];
      for await (const text of linesOf(set.read(file, signal))) {
        read.push(objectOf(text, dimension));
        if (read.length < BATCH_OBJECTS) continue;
        yield await batchOf(read);
        read = [];
      }
      if (read.length > 0) yield await batchOf(read);
    }
  }
  await Readable.from(batches(), { highWaterMark: 1 }).forEach(
    async ({ read, wanted }: Awaited<ReturnType<typeof batchOf>>) => {
      // Refused objects are missing afterwards and requested then.
      await vectors.load(tenant, index, dimension, wanted, signal);
      reportProgress(signal);
      onObjects(read);
    },
    { concurrency: LOADS, signal },
  );
}

const ledgerRows = z.array(z.object({ id: z.string(), object_id: z.string() }));

/** Requests the vectors that the ledger lists as indexed and the index lacks; returns their number. */
export async function requestMissingVectors(
  client: pg.Pool | pg.ClientBase,
  vectors: VectorIndex,
  tenantId: TenantId,
  index: string,
  signal: AbortSignal,
): Promise<number> {
  let missing = 0;
  let after = FIRST_ID;
  for (;;) {
    reportProgress(signal);
    const rows = ledgerRows.parse(
      (
        await client.query(
          "SELECT id, object_id FROM embeddings WHERE tenant_id = $1 AND model = $2 AND state = 'indexed' AND id > $3 ORDER BY id LIMIT $4",
          [tenantId, index, after, LOOKUP_ROWS],
        )
      ).rows,
    );
    const last = rows.at(-1);
    if (last === undefined) return missing;
    after = last.id;
    const present = await vectors.existing(
      tenantId,
      index,
      rows.map((row) => row.object_id),
    );
    const missingIds = rows.filter((row) => !present.has(row.object_id)).map((row) => row.id);
    if (missingIds.length === 0) continue;
    await client.query(
      "UPDATE embeddings SET state = 'pending', revision = revision + 1 WHERE id = ANY ($1) AND state = 'indexed'",
      [missingIds],
    );
    missing += missingIds.length;
  }
}

const indexRows = z.array(z.object({ tenant_id: z.string(), model: z.string() }));

/** Returns every tenant and index with indexed rows in the ledger. */
export async function indexedTenants(
  client: pg.Pool | pg.ClientBase,
): Promise<{ readonly tenantId: TenantId; readonly index: string }[]> {
  const { rows } = await client.query(
    "SELECT DISTINCT tenant_id, model FROM embeddings WHERE state = 'indexed' ORDER BY 1, 2",
  );
  return indexRows.parse(rows).map((row) => ({ tenantId: asId(row.tenant_id), index: row.model }));
}
