import { z } from 'zod';
import { asId } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import type { ArchiveStore } from '../../../domain/ports/archive-store.ts';
import type { ObjectStore } from '../../../domain/ports/object-store.ts';
import { removeArchive } from './archives.ts';
import type { Tenants } from './archives.ts';

interface Stores {
  readonly database: Tenants;
  readonly archives: ArchiveStore;
  /** Full values; null if they are not stored. */
  readonly objects: ObjectStore | null;
}

/** Sessions that are looked up at a time. */
const SESSIONS_AT_ONCE = 500;
const KEY = /^archives\/([0-9a-f-]{36})\/([0-9a-f-]{36})\./;
/** A line that counts no rows: they are all back, and its object is not needed. */
const line = { object_key: z.string().nullable(), is_back: z.boolean() };
const lineRows = z.array(z.object(line));
const sessionRows = z.array(z.object({ ...line, id: z.string(), status: z.string() }));

/**
 * Deletes the objects of a session that its index line does not name: interrupted attempts left them. `keys` were listed before the call. An attempt
 * archives rows only while the session is unchanged since it wrote its object. This changes the session first, so that no attempt can add an index line
 * that names a deleted object. Does nothing if the session does not exist. @throws ArchiveStoreError
 */
export async function removeStraysOf(
  { database, archives }: Pick<Stores, 'database' | 'archives'>,
  tenantId: TenantId,
  sessionId: string,
  keys: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  const [session] = await database.asTenant(tenantId, async (transaction) => {
    // Waits for an attempt that is just committing; its line is seen by the next statement.
    const known = await transaction.$executeRaw`
      UPDATE sessions SET updated_at = greatest(now(), updated_at + interval '1 microsecond') WHERE id = ${sessionId}::uuid`;
    if (known === 0) return [];
    return lineRows.parse(
      await transaction.$queryRaw`
        SELECT max(object_key) AS object_key, coalesce(bool_or(counts = '{}'), false) AS is_back FROM archives WHERE session_id = ${sessionId}::uuid`,
    );
  });
  if (session === undefined) return;
  const { object_key: named, is_back: isBack } = session;
  for (const key of keys) if (isBack || key !== named) await archives.remove(key, signal);
  if (!isBack || named === null) return;
  await archives.remove(named, signal);
  await database.asTenant(tenantId, (transaction) =>
    transaction.archive.deleteMany({ where: { sessionId, objectKey: named } }),
  );
}

/** The objects of a tenant's sessions, some sessions at a time. */
async function* objectsBySession(archives: ArchiveStore, tenantId: TenantId | null, signal: AbortSignal) {
  let of = '';
  let sessions = new Map<string, string[]>();
  for await (const { key } of archives.list(tenantId === null ? 'archives/' : `archives/${tenantId}/`, signal)) {
    const [, tenant, session] = KEY.exec(key) ?? [];
    if (tenant === undefined || session === undefined) continue;
    // Keys of one session follow each other: none is cut in two.
    if (tenant !== of || (sessions.size >= SESSIONS_AT_ONCE && !sessions.has(session))) {
      if (sessions.size > 0) yield { tenantId: asId<TenantId>(of), sessions };
      of = tenant;
      sessions = new Map();
    }
    sessions.set(session, [...(sessions.get(session) ?? []), key]);
  }
  if (sessions.size > 0) yield { tenantId: asId<TenantId>(of), sessions };
}

/**
 * Deletes the objects under `archives/` that no index line names: those of interrupted attempts to archive or bring back a session, and those of sessions
 * that were forgotten while the store was unavailable. Returns, and does not delete, objects that may be the only copy: those of an archived session whose
 * own object is missing, for example after a restore. Objects of unknown sessions belong to another database. @throws ArchiveStoreError
 */
export async function removeStrays(
  parts: Stores,
  /** Null: of every tenant. */
  only: TenantId | null,
  signal: AbortSignal,
): Promise<string[]> {
  const doubtful: string[] = [];
  for await (const { tenantId, sessions } of objectsBySession(parts.archives, only, signal)) {
    const ids = [...sessions.keys()];
    const existing = await parts.database.asTenant(tenantId, async (transaction) =>
      sessionRows.parse(
        await transaction.$queryRaw`
          SELECT s.id, s.status, a.object_key, coalesce(a.counts = '{}', false) AS is_back FROM sessions s LEFT JOIN archives a ON a.session_id = s.id
           WHERE s.tenant_id = ${tenantId}::uuid AND s.id = ANY (${ids}::uuid[])`,
      ),
    );
    for (const { id, status, object_key: named, is_back: isBack } of existing) {
      const keys = sessions.get(id) ?? [];
      signal.throwIfAborted();
      if (status === 'deleted') await removeArchive(parts, tenantId, id, signal);
      else if (status === 'archived' && (named === null || !keys.includes(named))) doubtful.push(...keys);
      else if (isBack || keys.some((key) => key !== named)) await removeStraysOf(parts, tenantId, id, keys, signal);
    }
  }
  return doubtful;
}
