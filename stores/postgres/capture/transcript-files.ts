import { createHash } from 'node:crypto';
import type pg from 'pg';
import { v7 } from 'uuid';
import { z } from 'zod';
import type { EventOwner } from '../../../domain/capture/event.ts';
import { addCounts } from '../../../domain/transcripts/counts.ts';
import type { FileProgress } from '../../../domain/transcripts/progress.ts';
import { viewOfUser } from '../connection/database.ts';
import type { Database, TenantTransaction } from '../connection/database.ts';
import { millisColumn, rowOf, tenantColumn, userColumn } from '../connection/rows.ts';
import { addImportCounts } from '../imports/imports.ts';

/** Identifies a file: `machine` is empty for files of this server. */
export interface FileName {
  readonly machine: string;
  readonly path: string;
}

const cursorRow = rowOf({
  id: z.string(),
  path: z.string(),
  fingerprint: z.string(),
  size: z.coerce.number(),
  modified_at_ms: millisColumn,
  read_offset: z.coerce.number(),
  counted_offset: z.coerce.number(),
  open: z.boolean(),
  session_id: z.string().nullable(),
  import_id: z.string().nullable(),
  /** Time of the last read. */
  looked_at_ms: millisColumn,
});

/** Read position of a transcript file. */
export type FileCursor = z.output<typeof cursorRow>;

const COLUMNS =
  'id, path, fingerprint, size, modified_at AS modified_at_ms, read_offset, counted_offset, open, session_id, import_id, updated_at AS looked_at_ms';

function pathSha256({ machine, path }: FileName): Buffer {
  return createHash('sha256').update(`${machine}\u0000${path}`, 'utf8').digest();
}

/** Returns the cursor of a file; null if it was never read. */
export async function readCursor(
  database: Database,
  { tenantId, userId }: EventOwner,
  name: FileName,
): Promise<FileCursor | null> {
  const rows = await database.readAsTenant(tenantId, (read) =>
    read({
      name: 'transcript_file',
      text: `SELECT ${COLUMNS} FROM transcript_files WHERE tenant_id = $1 AND user_id = $2 AND path_sha256 = $3`,
      values: [tenantId, userId, pathSha256(name)],
    }),
  );
  const [row] = z.array(cursorRow).parse(rows);
  return row ?? null;
}

/** Returns the cursors of a user's files on a machine, by path. */
export async function readCursors(
  database: Database,
  { tenantId, userId }: EventOwner,
  machine: string,
): Promise<ReadonlyMap<string, FileCursor>> {
  const rows = await database.readAsTenant(tenantId, (read) =>
    read({
      name: 'transcript_files',
      text: `SELECT ${COLUMNS} FROM transcript_files WHERE tenant_id = $1 AND user_id = $2 AND machine = $3`,
      values: [tenantId, userId, machine],
    }),
  );
  return new Map(
    z
      .array(cursorRow)
      .parse(rows)
      .map((row) => [row.path, row]),
  );
}

async function upsert(
  transaction: TenantTransaction,
  { tenantId, userId }: EventOwner,
  name: FileName,
  progress: FileProgress,
  importId: string | null,
): Promise<string> {
  const where = { tenantId_userId_pathSha256: { tenantId, userId, pathSha256: new Uint8Array(pathSha256(name)) } };
  const before = await transaction.transcriptFile.findUnique({ where, select: { counts: true } });
  const known = z
    .record(z.string(), z.number())
    .catch({})
    .parse(before?.counts ?? {});
  const data = {
    fingerprint: progress.fingerprint,
    size: BigInt(progress.size),
    modifiedAt: new Date(progress.modifiedAtMs),
    readOffset: BigInt(progress.readOffset),
    countedOffset: BigInt(progress.countedOffset),
    open: progress.open,
    counts: addCounts(progress.anew ? {} : known, progress.counts),
    sessionId: progress.sessionId,
    seenSeq: progress.seenSeq,
    updatedAt: new Date(),
    ...(importId === null ? {} : { importId }),
  };
  const saved = await transaction.transcriptFile.upsert({
    where,
    create: { id: v7(), tenantId, userId, pathSha256: new Uint8Array(pathSha256(name)), ...name, ...data },
    update: data,
    select: { id: true },
  });
  return saved.id;
}

/**
 * Commits the read position of a file together with its share of an import's counts, so that each line is counted once.
 * `finished`: the import is finished with this file. Returns the id of the row.
 */
export async function saveProgress(
  database: Database,
  owner: EventOwner,
  name: FileName,
  progress: FileProgress,
  forImport: { readonly id: string; readonly finished: boolean } | null,
): Promise<string> {
  return database.asTenant(viewOfUser(owner.tenantId, owner.userId), async (transaction) => {
    const id = await upsert(transaction, owner, name, progress, forImport?.finished === true ? forImport.id : null);
    if (forImport !== null) await addImportCounts(transaction, forImport.id, progress.counts);
    return id;
  });
}

const lateRow = rowOf({
  tenant_id: tenantColumn,
  user_id: userColumn,
  session_id: z.string(),
  external_id: z.string(),
});

/**
 * Returns at most `limit` sessions of all users with new rows since their transcript was read: these can be duplicates. A row reopens its session, so that
 * no others than open ones and those that ended lately have any. Needs a pool of the maintenance role.
 */
export async function sessionsWithLateRows(maintenance: pg.Pool, limit: number): Promise<z.output<typeof lateRow>[]> {
  const result = await maintenance.query(
    `SELECT s.tenant_id, s.user_id, s.id AS session_id, s.external_id FROM sessions s
      WHERE (s.status = 'active' OR s.status = 'ended' AND s.ended_at > now() - interval '7 days')
        AND EXISTS (SELECT FROM transcript_files f WHERE f.session_id = s.id AND f.user_id = s.user_id AND f.seen_seq < s.last_seq)
      LIMIT $1`,
    [limit],
  );
  return z.array(lateRow).parse(result.rows);
}

/** Records the position up to which a session's rows were compared with its transcript. */
export async function saveSeen(
  database: Database,
  { tenantId }: EventOwner,
  sessionId: string,
  seq: number,
): Promise<void> {
  await database.asTenant(tenantId, async (transaction) => {
    await transaction.$executeRaw`UPDATE transcript_files SET seen_seq = ${seq} WHERE session_id = ${sessionId}::uuid AND seen_seq < ${seq}`;
  });
}
