import { v7 } from 'uuid';
import { z } from 'zod';
import type { EventOwner } from '../../../domain/capture/event.ts';
import type { TranscriptCounts } from '../../../domain/transcripts/counts.ts';
import type { TenantTransaction } from '../connection/database.ts';
import type { WorkState } from '../../../domain/jobs.ts';
import { WORK_STATES } from '../../../domain/jobs.ts';
import { FILE_IMPORT_KIND } from './file-imports.ts';

export const importOptions = z.object({
  /** Folder on this server, or the file that is read; absolute. */
  directory: z.string(),
  /** Follows new lines until it is cancelled. */
  follow: z.boolean(),
  /** Dry run: reports without writing. */
  dryRun: z.boolean().default(false),
});
export type ImportOptions = z.output<typeof importOptions>;

/** Files of an import, as they are now. */
export interface ImportFiles {
  readonly files_total: number;
  /** Read to their end. */
  readonly files_done: number;
  /** Read before, and not changed since. */
  readonly files_unchanged: number;
  /** Written to at this moment: left for the next time. */
  readonly files_waiting: number;
  readonly files_unreadable: number;
}

const numbers = z.record(z.string(), z.number());
const importRow = z.object({
  id: z.string(),
  userId: z.string(),
  kind: z.string(),
  options: importOptions,
  state: z.enum(WORK_STATES),
  counts: numbers,
  error: z.string().nullable(),
  createdAt: z.date(),
  updatedAt: z.date(),
  finishedAt: z.date().nullable(),
});
export type StoredImport = Readonly<z.output<typeof importRow>>;

/** Returns an import of transcripts or of claude-mem; null if the tenant has none with this id. Imports of files are of `file-imports.ts`. */
export async function readImport(transaction: TenantTransaction, id: string): Promise<StoredImport | null> {
  const row = await transaction.import.findFirst({ where: { id, kind: { not: FILE_IMPORT_KIND } } });
  return importRow.nullable().parse(row);
}

/** Returns at most `limit` imports of transcripts and of claude-mem after the one with the id `before`, newest first: of one user, or undefined: of all. */
export async function listImports(
  transaction: TenantTransaction,
  {
    userId,
    before,
    limit,
  }: { readonly userId: string | undefined; readonly before: string | null; readonly limit: number },
): Promise<StoredImport[]> {
  const rows = await transaction.import.findMany({
    where: {
      kind: { not: FILE_IMPORT_KIND },
      ...(userId === undefined ? {} : { userId }),
      ...(before === null ? {} : { id: { lt: before } }),
    },
    orderBy: { id: 'desc' },
    take: limit,
  });
  return z.array(importRow).parse(rows);
}

/** The user's running import of the same kind and folder, else a new one. Two requests at once get the same. */
export async function openImport(
  transaction: TenantTransaction,
  { tenantId, userId }: EventOwner,
  kind: string,
  options: ImportOptions,
): Promise<StoredImport> {
  await transaction.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`import ${userId} ${kind}`}, 0))`;
  const running = await transaction.import.findMany({
    where: { userId, kind, state: 'running' },
    orderBy: { id: 'asc' },
  });
  const same = z
    .array(importRow)
    .parse(running)
    .find(
      (one) =>
        [options.directory, options.follow, options.dryRun].join() ===
        [one.options.directory, one.options.follow, one.options.dryRun].join(),
    );
  return (
    same ?? importRow.parse(await transaction.import.create({ data: { id: v7(), tenantId, userId, kind, options } }))
  );
}

async function lockedCounts(transaction: TenantTransaction, id: string): Promise<Record<string, number> | null> {
  const rows = await transaction.$queryRaw`SELECT counts FROM imports WHERE id = ${id}::uuid FOR UPDATE`;
  const [row] = z.array(z.object({ counts: numbers })).parse(rows);
  return row?.counts ?? null;
}

/** Adds what one step counted. */
export async function addImportCounts(
  transaction: TenantTransaction,
  id: string,
  more: TranscriptCounts,
): Promise<void> {
  const before = await lockedCounts(transaction, id);
  if (before === null) return;
  const counts = { ...before };
  for (const [name, value] of Object.entries(more)) counts[name] = (counts[name] ?? 0) + value;
  await transaction.import.update({ where: { id }, data: { counts, updatedAt: new Date() } });
}

/** Adds to some counts and sets others; names stand for themselves. */
export async function changeImportCounts(
  transaction: TenantTransaction,
  id: string,
  change: { readonly add: Readonly<Record<string, number>>; readonly set: Readonly<Record<string, number>> },
): Promise<void> {
  const before = await lockedCounts(transaction, id);
  if (before === null) return;
  const counts = { ...before, ...change.set };
  for (const [name, value] of Object.entries(change.add)) counts[name] = (before[name] ?? 0) + value;
  await transaction.import.update({ where: { id }, data: { counts, updatedAt: new Date() } });
}

/** Shows how many files there are and how they stand. */
export async function saveImportFiles(transaction: TenantTransaction, id: string, files: ImportFiles): Promise<void> {
  const before = await lockedCounts(transaction, id);
  if (before === null) return;
  await transaction.import.update({ where: { id }, data: { counts: { ...before, ...files }, updatedAt: new Date() } });
}

/** Ends an import that runs. `error` is the type of what ended it, never a text of its own. */
export async function finishImport(
  transaction: TenantTransaction,
  id: string,
  state: Exclude<WorkState, 'running'>,
  error: string | null,
): Promise<void> {
  const now = new Date();
  await transaction.import.updateMany({
    where: { id, state: 'running' },
    data: { state, error, finishedAt: now, updatedAt: now },
  });
}
