import type pg from 'pg';
import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import { dueExports, expireExport } from '../../stores/postgres/exports/exports.ts';
import { importsReading } from '../../stores/postgres/imports/file-imports.ts';

const IMPORT_FILE = /^imports\/[0-9a-f-]{36}\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.ndjson\.zst$/;
/** An uploaded file is complete moments before the row of its import. */
const UPLOAD_GRACE_MS = 86_400_000;

/**
 * Removes the files of exports whose time is over; returns their number. Each is marked after its file was removed, so that an interrupted removal is repeated.
 * @throws ArchiveStoreError
 */
export async function removeDueExports(
  maintenance: pg.Pool,
  archive: ArchiveStore,
  isTimeUp: () => boolean = () => false,
): Promise<number> {
  let removed = 0;
  for (const { id, objectKey } of await dueExports(maintenance)) {
    if (isTimeUp()) break;
    await archive.remove(objectKey);
    await expireExport(maintenance, id);
    removed += 1;
  }
  return removed;
}

/** Removes uploaded files that no running import reads: those of an upload without an import, and of a process that ended before it removed them. @throws ArchiveStoreError */
export async function removeUnreadUploads(
  maintenance: pg.Pool,
  archive: ArchiveStore,
  now: number,
  isTimeUp: () => boolean,
): Promise<void> {
  const files = new Map<string, string>();
  for await (const { key, modifiedAt } of archive.list('imports/')) {
    if (isTimeUp()) break;
    const [, id] = IMPORT_FILE.exec(key) ?? [];
    if (id !== undefined && modifiedAt.getTime() < now - UPLOAD_GRACE_MS) files.set(id, key);
  }
  const reading = await importsReading(maintenance, [...files.keys()]);
  for (const [id, key] of files) if (!reading.has(id) && !isTimeUp()) await archive.remove(key);
}
