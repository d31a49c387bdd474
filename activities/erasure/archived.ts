import { z } from 'zod';
import { ArchiveStoreError } from '../../domain/ports/archive-store.ts';
import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import { fullValueKey } from '../../domain/ports/object-store.ts';
import type { ObjectStore } from '../../domain/ports/object-store.ts';
import { FIRST_ID } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import { unpacked, fullValuesIn } from '../../stores/archive/packed.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';
import { removeStrays } from '../../stores/postgres/retention/archive-strays.ts';
import { objectsOfSession } from '../../stores/postgres/retention/archives.ts';
import type { Found } from '../../stores/postgres/erasure/erasures.ts';
import { asJsonPiece } from '../../stores/postgres/erasure/find-text.ts';
import type { ErasureDependencies } from './journal.ts';
import { reportProgress } from '../heartbeat.ts';

const archivedRows = z.array(z.object({ session_id: z.string(), object_key: z.string() }));

/** Files per page. */
const FILES_AT_ONCE = 200;

/** Skips archives whose rows are restored, which have no counts: their rows are found, and the file is removed as a stray. */
async function archivedAfter(database: Database, tenantId: TenantId, after: string) {
  return database.asTenant(tenantId, async (transaction) =>
    archivedRows.parse(
      await transaction.$queryRaw`
        SELECT session_id, object_key FROM archives WHERE tenant_id = ${tenantId}::uuid AND session_id > ${after}::uuid AND counts <> '{}' ORDER BY session_id LIMIT ${FILES_AT_ONCE}`,
    ),
  );
}

/** Returns true if a compressed object contains some bytes, also across two pieces; false if the object is missing. */
async function objectContains(
  archive: ArchiveStore,
  key: string,
  pattern: Buffer,
  signal: AbortSignal,
): Promise<boolean> {
  const plain = unpacked(archive.read(key, signal));
  let tail: Buffer = Buffer.alloc(0);
  try {
    for await (const piece of plain) {
      reportProgress(signal);
      const bytes = Buffer.concat([tail, z.instanceof(Buffer).parse(piece)]);
      if (bytes.includes(pattern)) return true;
      tail = bytes.subarray(Math.max(0, bytes.length - pattern.length + 1));
    }
    return false;
  } catch (error) {
    if (error instanceof ArchiveStoreError && error.kind === 'missing') return false;
    throw error;
  } finally {
    plain.destroy();
  }
}

/** Returns the archived sessions whose file contains a text. */
export async function archivedContaining(
  database: Database,
  archive: ArchiveStore,
  tenantId: TenantId,
  text: string,
  signal: AbortSignal,
): Promise<string[]> {
  const pattern = Buffer.from(asJsonPiece(text), 'utf8');
  const found: string[] = [];
  for (let after = FIRST_ID; ;) {
    const files = await archivedAfter(database, tenantId, after);
    for (const { session_id: sessionId, object_key: key } of files) {
      reportProgress(signal);
      if (await objectContains(archive, key, pattern, signal)) found.push(sessionId);
    }
    const last = files.at(-1);
    if (last === undefined || files.length < FILES_AT_ONCE) return found;
    after = last.session_id;
  }
}

/** Returns the hashes of an archived session's full values, which its files alone name. */
export async function archivedFullValues(
  { database, archive, fullValues }: Pick<ErasureDependencies, 'database' | 'archive' | 'fullValues'>,
  tenantId: TenantId,
  sessionId: string,
  signal: AbortSignal,
): Promise<string[]> {
  if (archive === null || fullValues === null) return [];
  const [file] = await database.asTenant(tenantId, async (transaction) =>
    archivedRows.parse(
      await transaction.$queryRaw`SELECT session_id, object_key FROM archives WHERE session_id = ${sessionId}::uuid`,
    ),
  );
  const found = new Set<string>();
  for (const key of await objectsOfSession(archive, tenantId, sessionId, file?.object_key ?? null, signal))
    for (const sha256 of await fullValuesIn(archive, key, signal)) found.add(sha256);
  return [...found];
}

/** Removes stray objects of a tenant's sessions; of those that may be an only copy, the ones that contain the text. */
export async function eraseStrays(
  { scope, archive, fullValues }: Pick<ErasureDependencies, 'scope' | 'archive' | 'fullValues'>,
  tenantId: TenantId,
  text: string | null,
  signal: AbortSignal,
): Promise<void> {
  if (archive === null) return;
  const parts = { database: scope, archives: archive, objects: fullValues };
  const doubtful = await removeStrays(parts, tenantId, signal);
  if (text === null) return;
  const pattern = Buffer.from(asJsonPiece(text), 'utf8');
  for (const key of doubtful)
    if (await objectContains(archive, key, pattern, signal)) await archive.remove(key, signal);
}

/** Removes every object in a tenant's folders; returns their number. */
export async function removeObjects(
  archive: ArchiveStore,
  tenantId: TenantId,
  folders: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  let removed = 0;
  for (const folder of folders)
    for await (const { key } of archive.list(`${folder}/${tenantId}/`, signal)) {
      reportProgress(signal);
      await archive.remove(key, signal);
      removed += 1;
    }
  return removed;
}

/** Without an id: of an archived session. */
const noteRows = z.array(z.object({ id: z.string().nullable(), session_id: z.string(), sha256: z.string() }));

/** Returns the rows and the archived sessions with a full value that contains a text, even if the truncated one does not. */
export async function fullValuesContaining(
  database: Database,
  fullValues: ObjectStore,
  tenantId: TenantId,
  text: string,
  signal: AbortSignal,
): Promise<{ readonly events: Found['events']; readonly sessions: string[] }> {
  const rows = await database.asTenant(tenantId, async (transaction) =>
    noteRows.parse(
      await transaction.$queryRaw`
        SELECT r.id, r.session_id, note[1] AS sha256
          FROM (SELECT id, session_id, content || coalesce(input::text, '') AS body FROM observations WHERE tenant_id = ${tenantId}::uuid AND content || coalesce(input::text, '') LIKE '%bytes in all (sha256:%'
                UNION ALL SELECT id, session_id, content FROM prompts WHERE tenant_id = ${tenantId}::uuid AND content LIKE '%bytes in all (sha256:%') AS r
         CROSS JOIN LATERAL regexp_matches(r.body, 'bytes in all \\(sha256:([0-9a-f]{64})\\)', 'g') AS note
        UNION ALL
        SELECT NULL, a.session_id, unnest(a.full_value_sha256) FROM archives a WHERE a.tenant_id = ${tenantId}::uuid AND a.counts <> '{}'`,
    ),
  );
  const containing = new Map<string, boolean>();
  const patterns = [Buffer.from(text, 'utf8'), Buffer.from(asJsonPiece(text), 'utf8')];
  for (const { sha256 } of rows) {
    reportProgress(signal);
    if (containing.has(sha256)) continue;
    const bytes = Buffer.from((await fullValues.get(fullValueKey(tenantId, sha256))) ?? []);
    containing.set(
      sha256,
      patterns.some((pattern) => bytes.includes(pattern)),
    );
  }
  const hits = rows.filter(({ sha256 }) => containing.get(sha256) === true);
  return {
    events: hits.flatMap(({ id, session_id: session }) => (id === null ? [] : [{ id, session }])),
    sessions: hits.flatMap(({ id, session_id: session }) => (id === null ? [session] : [])),
  };
}
