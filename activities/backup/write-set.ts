import { createHash } from 'node:crypto';
import type pg from 'pg';
import { functionsSha256 } from '../../prisma/apply-functions.ts';
import { keyIdOf, manifestKey, tableFileKey } from '../../domain/backup/set-keys.ts';
import type { JournalHead } from '../../domain/erasure/erasure-journal.ts';
import { SET_FORMAT, signManifest } from './manifest.ts';
import type { Manifest, ManifestFile, ManifestTable, ManifestVectors } from './manifest.ts';
import { sealQueries, answerFixedQueries, createFixedQueries } from './fixed-queries.ts';
import { sideBySide } from '../../domain/side-by-side.ts';
import { auditHeads } from '../../stores/postgres/audit/anchors.ts';
import type { VectorIndex } from '../../domain/ports/vector-index.ts';
import { readCatalog, readMigrations } from './backed-up-tables.ts';
import type { CatalogTable, KeyRange } from './backed-up-tables.ts';
import { copyOut, fileQuery, hasRows } from './copy-out.ts';
import { packFile } from './packed-file.ts';
import type { PackTarget } from './packed-file.ts';
import { inSnapshot } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';
import { writeVectors } from './vectors-out.ts';
import { reportProgress } from '../heartbeat.ts';

export interface SetSources {
  /** PostgreSQL as the maintenance role. */
  readonly databaseUrl: string;
  readonly connectTimeoutMs: number;
  /** The ledger as it is, beside the snapshot; the same role. */
  readonly live: pg.Pool;
  readonly vectors: Pick<VectorIndex, 'export'>;
  /** PKCS #8 DER, Ed25519. */
  readonly signingKey: Uint8Array;
  readonly recollectVersion: string;
  /** Head of the erasure journal stored beside the backups. */
  readonly journal: JournalHead | null;
}

/** Progress of a backup. */
export interface SetCounts {
  readonly files: number;
  readonly rows: number;
  readonly vectors: number;
  readonly bytes: number;
  readonly plainBytes: number;
}

export interface WrittenSet {
  readonly manifest: Manifest;
  /** Of manifest.json. */
  readonly manifestSha256: Buffer;
  readonly counts: SetCounts;
}

/** Time limit of the fixed queries, here and in each drill. */
const QUERIES_MS = 10_000;

type TableFile = ManifestTable['files'][number];

/** One piece of work: a range of a table. */
interface Part {
  readonly table: CatalogTable;
  readonly range: KeyRange;
  readonly n: number;
}

async function writePart(
  client: pg.ClientBase,
  { table, range, n }: Part,
  target: PackTarget,
): Promise<TableFile | null> {
  // Many tables and months are empty: no file represents that.
  if (!(await hasRows(client, table, range))) return null;
  const rows = copyOut(client, fileQuery(table, range));
  return { ...(await packFile(target, tableFileKey(table.name, n), rows, () => rows.count())), ...range };
}

/** Copies all tables, one part at a time per connection. */
async function writeTables(
  { clients }: Snapshot,
  target: PackTarget,
  onFile: (file: TableFile) => Promise<void>,
): Promise<ManifestTable[]> {
  const tables = await readCatalog(clients[0]);
  const parts = tables.flatMap((table) => table.ranges.map((range, n) => ({ table, range, n })));
  const written = new Map<Part, TableFile>();
  let next = 0;
  const work = async (client: pg.ClientBase, signal: AbortSignal): Promise<void> => {
    for (let part = parts[next]; part !== undefined; part = parts[next]) {
      reportProgress(signal);
      next += 1;
      const file = await writePart(client, part, { ...target, signal });
      if (file === null) continue;
      written.set(part, file);
      await onFile(file);
    }
  };
  await sideBySide(
    target.signal,
    clients.map((client) => (signal) => work(client, signal)),
  );
  return tables.map(({ name, columns, orderBy }) => {
    const files = parts.filter(({ table }) => table.name === name).flatMap((part) => written.get(part) ?? []);
    return {
      name,
      columns: [...columns],
      orderBy: [...orderBy],
      rows: files.reduce((sum, file) => sum + file.rows, 0),
      files,
    };
  });
}

/**
 * Writes one consistent backup: tables and fixed queries of one snapshot, the vectors of its ledger, and last the signed manifest. `client` is
 * the connection with the backup lock. @throws ArchiveStoreError, VectorIndexUnavailable, errors of the driver
 */
export async function writeSet(
  client: pg.Client,
  sources: SetSources,
  target: PackTarget,
  onProgress: (counts: SetCounts) => Promise<void>,
): Promise<WrittenSet> {
  let counts: SetCounts = { files: 0, rows: 0, vectors: 0, bytes: 0, plainBytes: 0 };
  const add = async (file: ManifestFile, isVectors: boolean): Promise<void> => {
    counts = {
      files: counts.files + 1,
      rows: counts.rows + (isVectors ? 0 : file.rows),
      vectors: counts.vectors + (isVectors ? file.rows : 0),
      bytes: counts.bytes + file.bytes,
      plainBytes: counts.plainBytes + file.plainBytes,
    };
    await onProgress(counts);
  };
  const manifest = await inSnapshot(client, sources.databaseUrl, sources.connectTimeoutMs, async (snapshot) => {
    const { beside } = snapshot;
    const migrations = await readMigrations(beside);
    const audit = await auditHeads(beside);
    let tables: readonly ManifestTable[] = [];
    let vectors: readonly ManifestVectors[] = [];
    let queries: Manifest['queries'] = [];
    // In parallel: one waits for PostgreSQL, the other for Weaviate.
    await sideBySide(target.signal, [
      async (signal) => {
        tables = await writeTables(snapshot, { ...target, signal }, (file) => add(file, false));
      },
      async (signal) => {
        queries = await answerFixedQueries(beside, await createFixedQueries(beside), {
          boundMs: QUERIES_MS,
          pace: target.pace,
          signal,
        });
        vectors = await writeVectors(
          { vectors: sources.vectors, snapshot: beside, live: sources.live },
          { ...target, signal },
        );
        for (const { files } of vectors) for (const file of files) await add(file, true);
      },
    ]);
    return {
      format: SET_FORMAT,
      id: target.backupId,
      snapshotAt: snapshot.at.toISOString(),
      finishedAt: new Date().toISOString(),
      recollectVersion: sources.recollectVersion,
      migrations,
      functions: functionsSha256(),
      postgresVersion: snapshot.postgresVersion,
      compression: 'zstd',
      encryption: target.key === null ? null : { algorithm: 'aes-256-gcm', keyId: keyIdOf(target.key) },
      tables: [...tables],
      vectors: [...vectors],
      queries: target.key === null ? queries : sealQueries(queries, target.key, target.backupId),
      journal: sources.journal,
      audit,
    } satisfies Manifest;
  });
  // The lock ends with this connection: if it is lost, another process may have removed the files.
  await client.query('SELECT');
  const text = Buffer.from(signManifest(manifest, sources.signingKey));
  const { bytes } = await target.store.write(manifestKey(target.backupId), onePiece(text), target.signal);
  counts = { ...counts, files: counts.files + 1, bytes: counts.bytes + bytes };
  return { manifest, manifestSha256: createHash('sha256').update(text).digest(), counts };
}

async function* onePiece(piece: Uint8Array): AsyncGenerator<Uint8Array> {
  yield piece;
}
