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
import { forgetAnswers } from '../../stores/postgres/usage/model-response-cache.ts';
import { isUnchanged } from '../../stores/postgres/retention/retention-sessions.ts';
import type { ExpiredSession } from '../../stores/postgres/retention/retention-sessions.ts';
import { fullValuesOf } from '../../stores/postgres/capture/full-values.ts';
import { readObject, verifyObject, writeObject } from './archive-object.ts';

/** Another attempt or another run archives or restores the session at this moment: it is to be tried again. Known as a conflict by its code. */
export class ArchiveInHand extends Error {
  override readonly name = 'ArchiveInHand';
  readonly code = '40001';
}

/**
 * Does something to a session's archive while nobody else does. Null where somebody does. The lock goes with its connection, so that it outlives no process; one
 * that loses it while it works loses no row by that, because every attempt has an object of its own, but its work.
 */
export async function withArchiveLock<Result>(
  maintenance: pg.Pool,
  sessionId: string,
  work: (client: pg.PoolClient | null) => Promise<Result>,
): Promise<Result> {
  const client = await maintenance.connect();
  const name = `archive ${sessionId}`;
  let isSound = false;
  // A server that goes while nothing is asked of it is told to nobody else, and would end the process.
  const ignore = () => undefined;
  client.on('error', ignore);
  try {
    const { rows } = await client.query<{ had: boolean }>(
      'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS had',
      [name],
    );
    const isHad = rows[0]?.had === true;
    const result = await work(isHad ? client : null);
    // What was done stays done where the connection went meanwhile, and the lock with it.
    isSound =
      !isHad ||
      (await client.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', [name]).then(
        () => true,
        () => false,
      ));
    return result;
  } finally {
    // What failed may have left a transaction or the lock: such a connection is not given to the next one.
    if (isSound) client.off('error', ignore);
    client.release(!isSound);
  }
}

export interface ArchiveDependencies {
  readonly database: Database;
  /** As the maintenance role. */
  readonly maintenance: pg.Pool;
  readonly archives: ArchiveStore;
  /** The index that the settings ask for. */
  readonly embeddingModel: IndexModel;
}

const HEADS_CHARS = 8_000;
const MAX_HEADS = 8;
const idRows = z.array(z.object({ id: z.string() }));

/** How a session stands: what changes it changes this. */
async function markOf(transaction: TenantTransaction, sessionId: string): Promise<string | null> {
  const rows = await transaction.$queryRaw`
    SELECT status || ' ' || last_seq || ' ' || extract(epoch FROM updated_at) AS mark FROM sessions WHERE id = ${sessionId}::uuid AND status = 'ended' FOR UPDATE`;
  return z.array(z.object({ mark: z.string() })).parse(rows)[0]?.mark ?? null;
}

/** What an archived session is found by: heads of its own summaries, else of its topics. */
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
      // A cut in the middle of a pair leaves half a character, which no column takes.
      .toWellFormed()
  );
}

/**
 * Takes the rows of a session away that lie in its archive now. Windows, keys and quotes stay: they hold the places that rows come back to, and keep what is
 * sent again from being stored twice. Learnings are knowledge of their own. Null where something changed since the rows were read.
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
  const gone = { summaries: summaries.length, prompts: prompts.length, observations: observations.length, boundaries };
  // Not one row goes that the archive does not hold.
  for (const [table, count] of Object.entries(gone))
    if (count !== (rows[table] ?? 0)) throw new Error(`an archive holds other ${table} than its session`);
  const ids = [...summaries, ...prompts, ...observations].map(({ id }) => id);
  await forgetAnswers(transaction, sessionId);
  if (ids.length > 0) await forgetGraph(transaction, sessionId, ids);
  await requestRemoval(transaction, ids);
  await transaction.$executeRaw`
    UPDATE sessions SET status = 'archived', phase = 'settled', updated_at = now() WHERE id = ${sessionId}::uuid`;
  return ids.length + boundaries;
}

/**
 * Archives an ended session: its rows are written into the store, read back and verified, and only then taken away, with the index line in the same
 * transaction; `counted` runs in it, too. Null where it is held, somebody else has its archive in hand, or something came since it was picked: then everything
 * stays. @throws ArchiveStoreError, ArchiveDamaged
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
    // It was archived before and went on: both parts are to lie in one archive.
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
        const wholes = await fullValuesOf(transaction, sessionId, null);
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
          wholes,
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
    // A commit whose answer was lost may stand: its line is looked for before the object goes. What is not reached now goes at the end of a run.
    await removeStraysOf({ database, archives }, tenantId, sessionId, [key]).catch(() => undefined);
    throw error;
  }
}

/**
 * Brings an archived session's rows back, as they were, and asks for their vectors; then its archive goes. What was forgotten meanwhile stays away. An
 * attempt that was cut off is done again from the beginning: rows that stand already stay as they are. False where there is no such archive.
 * @throws ArchiveDamaged before anything is written, ArchiveStoreError, ExportFileError
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
    if (client === null) throw new ArchiveInHand('somebody else has the archive in hand');
    // Whoever had it before may have brought it back.
    const standing = await parts.database.asTenant(tenantId, (transaction) => readArchive(transaction, archiveId));
    if (standing === null) return false;
    await bringBack(parts, tenantId, standing, signal);
    return true;
  });
}

/** The line goes last: as long as the object may stand, it is found by it. A line that counts no rows says that all of them are back. */
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
      // Without the lock somebody may have brought it back and archived it anew: then it is archived.
      if (count === 0) throw new ArchiveInHand('somebody else has the archive in hand');
    });
  }
  await archives.remove(objectKey, signal);
  await database.asTenant(tenantId, (transaction) => transaction.archive.deleteMany({ where: { id } }));
}
