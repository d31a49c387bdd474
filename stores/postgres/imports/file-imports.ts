import type pg from 'pg';
import { v7 } from 'uuid';
import { z } from 'zod';
import type { EventOwner } from '../../../domain/capture/event.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { WORK_STATES } from '../../../domain/jobs.ts';
import { idsOf } from '../connection/rows.ts';

/** Imports of export files. */
export const FILE_IMPORT_KIND = 'file';

const options = z.object({ objectKey: z.string(), bytes: z.number(), sha256: z.string() });
const counts = z.object({
  /** Imported lines of the file. */
  lines: z.number().default(0),
  read: z.record(z.string(), z.number()).default({}),
  written: z.record(z.string(), z.number()).default({}),
});

const importRow = z
  .object({
    id: z.string(),
    userId: z.string(),
    state: z.enum(WORK_STATES),
    options,
    counts,
    error: z.string().nullable(),
    createdAt: z.date(),
    finishedAt: z.date().nullable(),
  })
  .transform(({ options, counts, ...row }) => ({ ...row, ...options, ...counts }));
export type StoredFileImport = Readonly<z.output<typeof importRow>>;

/** Key of the uploaded file of an import. */
export function importKey(tenantId: string, importId: string): string {
  return `imports/${tenantId}/${importId}.ndjson.zst`;
}

/** An import whose file is in the archive store. */
export async function openFileImport(
  transaction: TenantTransaction,
  { tenantId, userId }: EventOwner,
  id: string,
  file: { readonly objectKey: string; readonly bytes: number; readonly sha256: string },
): Promise<StoredFileImport> {
  return importRow.parse(
    await transaction.import.create({ data: { id, tenantId, userId, kind: FILE_IMPORT_KIND, options: { ...file } } }),
  );
}

/** A fresh id of an import: the key of its file is made of it before there is a row. */
export function newImportId(): string {
  return v7();
}

/** Returns an import of a file; null if the tenant has none with this id. */
export async function readFileImport(transaction: TenantTransaction, id: string): Promise<StoredFileImport | null> {
  const row = await transaction.import.findFirst({ where: { id, kind: FILE_IMPORT_KIND } });
  return importRow.nullable().parse(row);
}

/** Returns at most `limit` imports of files after the one with the id `before`, newest first. */
export async function listFileImports(
  transaction: TenantTransaction,
  before: string | null,
  limit: number,
): Promise<StoredFileImport[]> {
  const rows = await transaction.import.findMany({
    where: { kind: FILE_IMPORT_KIND, ...(before === null ? {} : { id: { lt: before } }) },
    orderBy: { id: 'desc' },
    take: limit,
  });
  return z.array(importRow).parse(rows);
}

/** Returns those of these imports that still need their file. `maintenance` has the maintenance role. */
export async function importsReading(maintenance: pg.Pool, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const { rows } = await maintenance.query(
    "SELECT id FROM imports WHERE id = ANY ($1::uuid[]) AND kind = $2 AND state = 'running'",
    [ids, FILE_IMPORT_KIND],
  );
  return new Set(idsOf(rows));
}

/** Records the progress of an import in the transaction of its rows, so that each row is counted once. `client` is of the maintenance role. */
export async function notePortableProgress(
  client: pg.ClientBase,
  id: string,
  { lines, read, written }: z.input<typeof counts>,
): Promise<void> {
  await client.query(
    "UPDATE imports SET counts = $2, updated_at = now() WHERE id = $1 AND kind = $3 AND state = 'running'",
    [id, JSON.stringify({ lines, read, written }), FILE_IMPORT_KIND],
  );
}

/** Ends a running import with its counts, or without them with its last progress. */
export async function endFileImport(
  transaction: TenantTransaction,
  id: string,
  end: Pick<StoredFileImport, 'state' | 'error'> & {
    readonly counts?: Pick<StoredFileImport, 'read' | 'written'>;
  },
): Promise<void> {
  const now = new Date();
  const { state, error, counts: made } = end;
  await transaction.import.updateMany({
    where: { id, kind: FILE_IMPORT_KIND, state: 'running' },
    data: { state, error, ...(made === undefined ? {} : { counts: { ...made } }), finishedAt: now, updatedAt: now },
  });
}
