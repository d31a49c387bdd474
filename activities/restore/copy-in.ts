import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { z } from 'zod';
import type { ManifestFile, ManifestTable } from '../backup/manifest.ts';
import { BackupSetError } from '../../domain/backup/sets.ts';
import { sideBySide } from '../../domain/side-by-side.ts';
import type { ReadableSet } from '../backup/read-set.ts';
import { asMaintenance } from '../../stores/postgres/backups/restored-database.ts';
import type { RestoreServer } from '../../stores/postgres/backups/restored-database.ts';
import { reportProgress } from '../heartbeat.ts';

/** Files copied in parallel: one is unpacked while PostgreSQL reads another. */
const AT_ONCE = 3;

export interface CopyProgress {
  readonly files: number;
  readonly rows: number;
  /** Before compression. */
  readonly bytes: number;
}

interface WaitingFile {
  readonly table: ManifestTable;
  readonly file: ManifestFile;
}

const doneRows = z.array(z.object({ key: z.string(), rows: z.coerce.number(), bytes: z.coerce.number() }));

function copyStatement({ name, columns }: ManifestTable): string {
  return `COPY ${pg.escapeIdentifier(name)} (${columns.map((column) => pg.escapeIdentifier(column)).join(', ')}) FROM STDIN`;
}

/** Copies one file and records it, in one transaction: all of it or nothing. */
async function copyFile(
  client: pg.Client,
  set: ReadableSet,
  { table, file }: WaitingFile,
  signal: AbortSignal,
): Promise<void> {
  await client.query('BEGIN');
  try {
    const into = client.query(copyFrom(copyStatement(table)));
    await pipeline(set.read(file, signal), into, { signal });
    if (into.rowCount !== file.rows)
      throw new BackupSetError('damaged', `${file.key} has ${into.rowCount} rows instead of ${file.rows}`);
    await client.query('INSERT INTO restoring.files (key, rows, bytes) VALUES ($1, $2, $3)', [
      file.key,
      file.rows,
      file.plainBytes,
    ]);
    await client.query('COMMIT');
  } catch (error) {
    // A lost connection ends the transaction as well.
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

async function takeFrom(
  server: RestoreServer,
  database: string,
  set: ReadableSet,
  waiting: WaitingFile[],
  onFile: (file: ManifestFile) => void,
  signal: AbortSignal,
): Promise<void> {
  await asMaintenance(server, database, async (client) => {
    // A crash loses recent files together with their records; the text format is the backup's.
    await client.query("SET synchronous_commit = off; SET TimeZone = 'UTC'; SET DateStyle = 'ISO'");
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      reportProgress(signal);
      await copyFile(client, set, next, signal);
      onFile(next.file);
    }
  });
}

/**
 * Copies a backup's rows into the database being built, the largest files first, in parallel, and skips files that are recorded. Calls
 * `onProgress` after each file. @throws BackupSetError, ArchiveStoreError, or PostgreSQL's own errors
 */
export async function copyIn(
  server: RestoreServer,
  database: string,
  set: ReadableSet,
  onProgress: (progress: CopyProgress) => void,
  signal: AbortSignal,
): Promise<CopyProgress> {
  const done = await asMaintenance(server, database, async (client) =>
    doneRows.parse((await client.query('SELECT key, rows, bytes FROM restoring.files')).rows),
  );
  const isDone = new Set(done.map(({ key }) => key));
  let progress: CopyProgress = {
    files: done.length,
    rows: done.reduce((sum, { rows }) => sum + rows, 0),
    bytes: done.reduce((sum, { bytes }) => sum + bytes, 0),
  };
  const waiting = set.manifest.tables
    .flatMap((table) => table.files.map((file) => ({ table, file })))
    .filter(({ file }) => !isDone.has(file.key))
    .sort((a, b) => b.file.plainBytes - a.file.plainBytes);
  const onFile = ({ rows, plainBytes }: ManifestFile): void => {
    progress = { files: progress.files + 1, rows: progress.rows + rows, bytes: progress.bytes + plainBytes };
    onProgress(progress);
  };
  // The results of the others are not used once one has failed.
  const take = (either: AbortSignal) => takeFrom(server, database, set, waiting, onFile, either);
  await sideBySide(
    signal,
    Array.from({ length: Math.min(AT_ONCE, waiting.length) }, () => take),
  );
  return progress;
}
