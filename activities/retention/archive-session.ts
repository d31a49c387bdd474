import type pg from 'pg';
import { v7 } from 'uuid';
import { z } from 'zod';
import type { TenantId } from '../../domain/ids.ts';
import type { IndexModel } from '../../domain/index-model.ts';
import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import { readRows } from '../export-import/read-rows.ts';
import { removeStraysOf } from '../../stores/postgres/retention/archive-strays.ts';
import { archiveKey, readArchive, writeArchive } from '../../stores/postgres/retention/archives.ts';
import type { StoredArchive } from '../../stores/postgres/retention/archives.ts';
import type { Database, TenantTransaction } from '../../stores/postgres/connection/database.ts';
import { requestRemoval } from '../../stores/postgres/embeddings/embedding-removal.ts';
import { lockForgetting } from '../../stores/postgres/erasure/forgotten.ts';
import { forgetGraph } from '../../stores/postgres/graph/graph-writes.ts';
import { LegalHoldError, assertNoLegalHold } from '../../stores/postgres/retention/legal-holds.ts';
import { forgetResponses } from '../../stores/postgres/usage/model-response-cache.ts';
import { isUnchanged } from '../../stores/postgres/retention/retention-sessions.ts';
import type { ExpiredSession } from '../../stores/postgres/retention/retention-sessions.ts';
import { fullValuesOf } from '../../stores/postgres/capture/full-values.ts';
import { readObject, verifyObject, writeObject } from './archive-object.ts';

/** Another attempt or run archives or restores the session: retry later. Its code marks a conflict. */
export class ArchiveInHand extends Error {
  override readonly name = 'ArchiveInHand';
  readonly code = '40001';
}

/**
 * Runs `work` under the lock of a session's archive, with null if another process has it. The lock is free when this returns or fails. It also ends
 * with its connection; if it is lost, work is lost but no row, since every attempt writes its own object.
 */
export async function withArchiveLock<Result>(
  maintenance: pg.Pool,
  sessionId: string,
  work: (client: pg.PoolClient | null) => Promise<Result>,
): Promise<Result> {
  const client = await maintenance.connect();
  const name = `archive ${sessionId}`;
  let isSound = false;
  // Unhandled, an error of the idle connection would end the process.
  const ignore = () => undefined;
  client.on('error', ignore);
  /** Returns false if the connection, and the lock with it, was lost: the work stays done. */
  const unlock = () =>
    client.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', [name]).then(
      () => true,
      () => false,
    );
  try {
    const { rows } = await client.query<{ had: boolean }>(
      'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS had',
      [name],
    );
    const isHad = rows[0]?.had === true;
    const result = await work(isHad ? client : null);
    isSound = !isHad || (await unlock());
    return result;
  } catch (error) {
    // Not left to the end of the connection: the server may notice it after the next attempt began, and refuse that.
    await client.query('ROLLBACK').then(unlock, ignore);
    throw error;
  } finally {
    // After a failure the connection is in an unknown state: it is not reused.
    if (isSound) client.off('error', ignore);
    client.release(!isSound);
  }
}

export interface ArchiveDependencies {
  readonly database: Database;
  /** As the maintenance role. */
  readonly maintenance: pg.Pool;
  readonly archives: ArchiveStore;
  /** The configured index. */
  readonly embeddingModel: IndexModel;
}

const HEADS_CHARS = 8_000;
const MAX_HEADS = 8;
const idRows = z.array(z.object({ id: z.string() }));

/** Returns a mark that every change of the session changes; null if it is not ended. */
async function markOf(transaction: TenantTransaction, sessionId: string): Promise<string | null> {
  const rows = await transaction.$queryRaw`
    SELECT status || ' ' || last_seq || ' ' || extract(epoch FROM updated_at) AS mark FROM sessions WHERE id = ${sessionId}::uuid AND status = 'ended' FOR UPDATE`;
  return z.array(z.object({ mark: z.string() })).parse(rows)[0]?.mark ?? null;
}

/** Returns the searchable text of an archived session: its summaries, else its topics. */
async function headsOf(transaction: TenantTransaction, sessionId: string): Promise<string> {
  const rows = await transaction.summary.findMany({
    where: { sessionId, type: { in: ['session', 'topic'] } },
    orderBy: [{ type: 'asc' }, { toSeq: 'desc' }],
    take: MAX_HEADS,
    select: { title: true, content: true },
  });
  return (
    rows
      .map(({ title, content }) => `${title}\n${content}`)
      .join('\n\n')
      .slice(0, HEADS_CHARS)
      // A cut within a surrogate pair leaves an invalid character.
      .toWellFormed()
  );
}

/**
 * Deletes the archived rows of a session. Windows, keys and quotes remain: they reserve positions for a restore and reject duplicates.
 * Learnings remain. Null if the session changed since the rows were read.
 */
async function takeRows(
  transaction: TenantTransaction,
  sessionId: string,
  mark: string,
  rows: Readonly<Record<string, number>>,
): Promise<number | null> {
  await lockForgetting(transaction, sessionId);
  if ((await markOf(transaction, sessionId)) !== mark) return null;
  await assertNoLegalHold(transaction, { sessionId });
  const summaries = idRows.parse(
    await transaction.$queryRaw`DELETE FROM summaries WHERE session_id = ${sessionId}::uuid RETURNING id`,
  );
  const prompts = idRows.parse(
    await transaction.$queryRaw`DELETE FROM prompts WHERE session_id = ${sessionId}::uuid RETURNING id`,
  );
  const observations = idRows.parse(
    await transaction.$queryRaw`DELETE FROM observations WHERE session_id = ${sessionId}::uuid RETURNING id`,
  );
  const boundaries = await transaction.$executeRaw`DELETE FROM boundaries WHERE session_id = ${sessionId}::uuid`;
  const deleted = {
    summaries: summaries.length,
    prompts: prompts.length,
    observations: observations.length,
    boundaries,
  };
  // No row is deleted that the archive lacks.
  for (const [table, count] of Object.entries(deleted))
    if (count !== (rows[table] ?? 0)) throw new Error(`the archive and the session differ in ${table}`);
  const ids = [...summaries, ...prompts, ...observations].map(({ id }) => id);
  await forgetResponses(transaction, sessionId);
  if (ids.length > 0) await forgetGraph(transaction, sessionId, ids);
  await requestRemoval(transaction, ids);
  await transaction.$executeRaw`
    UPDATE sessions SET status = 'archived', phase = 'settled', updated_at = now() WHERE id = ${sessionId}::uuid`;
  return ids.length + boundaries;
}

/**
 * Archives an ended session: writes its rows to the store, verifies them, then deletes them and writes the index row in one transaction, in
 * which `counted` runs as well. Returns the number of rows; null, unchanged, if it is under a legal hold, locked by another process, or
 * changed. @throws ArchiveStoreError, ArchiveDamaged
 */
export async function archiveSession(
  parts: ArchiveDependencies,
  session: Pick<ExpiredSession, 'id' | 'tenantId' | 'mark'>,
  counted: (transaction: TenantTransaction) => Promise<void>,
  signal: AbortSignal,
): Promise<number | null> {
  const { database } = parts;
  const { tenantId, id } = session;
  return withArchiveLock(parts.maintenance, id, async (client) => {
    if (client === null) return null;
    if (!(await database.asTenant(tenantId, (transaction) => isUnchanged(transaction, session)))) return null;
    // It was archived before and continued: both parts go into one archive.
    const before = await database.asTenant(tenantId, (transaction) => readArchive(transaction, id));
    if (before !== null) await bringBack(parts, tenantId, before, signal);
    return writeAndTake(parts, client, tenantId, id, counted, signal);
  });
}

async function writeAndTake(
  { database, archives }: ArchiveDependencies,
  client: pg.PoolClient,
  tenantId: TenantId,
  sessionId: string,
  counted: (transaction: TenantTransaction) => Promise<void>,
  signal: AbortSignal,
): Promise<number | null> {
  const mark = await database.asTenant(tenantId, (transaction) => markOf(transaction, sessionId));
  if (mark === null) return null;
  const key = archiveKey(tenantId, sessionId, v7());
  try {
    const written = await writeObject(client, archives, key, { tenantId, sessionId }, signal);
    const { rows, sha256: objectSha256, bytes: objectBytes } = written;
    await verifyObject(archives, key, { sha256: objectSha256, linesSha256: rows.sha256, rows: rows.rows }, signal);
    const taken = await database
      .asTenant(tenantId, async (transaction) => {
        const session = await transaction.session.findUniqueOrThrow({ where: { id: sessionId } });
        const heads = await headsOf(transaction, sessionId);
        const fullValueSha256 = await fullValuesOf(transaction, sessionId, null);
        const count = await takeRows(transaction, sessionId, mark, rows.rows);
        if (count === null) return null;
        await writeArchive(transaction, {
          tenantId,
          sessionId,
          userId: session.userId,
          projectId: session.projectId,
          title: session.title ?? '',
          heads,
          startedAt: session.startedAt,
          endedAt: session.endedAt ?? session.lastEventAt,
          counts: rows.rows,
          fullValueSha256,
          objectKey: key,
          objectBytes,
          objectSha256,
          linesSha256: rows.sha256,
        });
        await counted(transaction);
        return count;
      })
      .catch((error: unknown) => {
        if (error instanceof LegalHoldError) return null;
        throw error;
      });
    if (taken === null) await archives.remove(key);
    return taken;
  } catch (error) {
    // An unconfirmed commit may have succeeded: its row is looked up before the object is removed. Other strays are removed at the end of a run.
    await removeStraysOf({ database, archives }, tenantId, sessionId, [key]).catch(() => undefined);
    throw error;
  }
}

/**
 * Restores an archived session's rows, requests their vectors and removes the archive. Forgotten rows are not restored. Repeatable: existing
 * rows are unchanged. Returns false if there is no such archive. @throws ArchiveDamaged before any write, ArchiveStoreError, ExportFileError
 */
export async function restoreArchive(
  parts: ArchiveDependencies,
  tenantId: TenantId,
  archiveId: string,
  signal: AbortSignal,
): Promise<boolean> {
  const archive = await parts.database.asTenant(tenantId, (transaction) => readArchive(transaction, archiveId));
  if (archive === null) return false;
  return withArchiveLock(parts.maintenance, archive.sessionId, async (client) => {
    if (client === null) throw new ArchiveInHand('another process has locked the archive');
    // The process that had the lock may have restored it.
    const current = await parts.database.asTenant(tenantId, (transaction) => readArchive(transaction, archiveId));
    if (current === null) return false;
    await bringBack(parts, tenantId, current, signal);
    return true;
  });
}

/** The index row is deleted last, since it locates the object. A row without counts marks restored rows. */
async function bringBack(
  { database, maintenance, archives, embeddingModel }: ArchiveDependencies,
  tenantId: TenantId,
  { id, objectKey, objectSha256: sha256, linesSha256, counts, sessionId }: StoredArchive,
  signal: AbortSignal,
): Promise<void> {
  if (Object.keys(counts).length > 0) {
    await verifyObject(archives, objectKey, { sha256, linesSha256, rows: counts }, signal);
    const { lines } = readObject(archives, objectKey, signal);
    await readRows(maintenance, lines, tenantId, { index: embeddingModel, signal });
    await database.asTenant(tenantId, async (transaction) => {
      await transaction.$executeRaw`
        UPDATE sessions SET status = CASE status WHEN 'archived' THEN 'ended' ELSE status END, metadata = metadata || jsonb_build_object('restored_at', now()), updated_at = now()
         WHERE id = ${sessionId}::uuid AND status <> 'deleted'`;
      const { count } = await transaction.archive.updateMany({ where: { id }, data: { counts: {} } });
      // If the lock was lost, another process may have archived it again.
      if (count === 0) throw new ArchiveInHand('another process has locked the archive');
    });
  }
  await archives.remove(objectKey, signal);
  await database.asTenant(tenantId, (transaction) => transaction.archive.deleteMany({ where: { id } }));
}
