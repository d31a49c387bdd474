import { asId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import { tenantTables } from '../../stores/postgres/exports/table-catalog.ts';
import {
  closePerson,
  eraseBeside,
  eraseEntities,
  eraseEvent,
  eraseLearnings,
  erasePerson,
  eraseSession,
  eraseSummaries,
  vectorsToGo,
} from '../../stores/postgres/erasure/erase-rows.ts';
import type { Erased } from '../../stores/postgres/erasure/erase-rows.ts';
import { closeTenant, eraseTenantRows, modelsOfTenant } from '../../stores/postgres/erasure/erase-tenant.ts';
import { foundSchema, LOOKED_UP_VECTORS, noteErasure } from '../../stores/postgres/erasure/erasures.ts';
import type { Found, StoredErasure } from '../../stores/postgres/erasure/erasures.ts';
import type { TenantTransaction } from '../../stores/postgres/connection/database.ts';
import { fullValueKey } from '../../domain/ports/object-store.ts';
import { removeArchive } from '../../stores/postgres/retention/archives.ts';
import { fullValuesOf } from '../../stores/postgres/capture/full-values.ts';
import { archivedFullValues } from './archived.ts';
import type { ErasureDependencies } from './journal.ts';
import { reportProgress } from '../heartbeat.ts';

/** Sessions of a user per page. */
const SESSIONS_AT_ONCE = 50;

/** Erases rows in batches and records in the same transaction what each found. Repeatable. */
export async function eraseRows(
  dependencies: ErasureDependencies,
  erasure: StoredErasure,
  signal: AbortSignal,
): Promise<void> {
  const { database, archive, scope, maintenance } = dependencies;
  const tenantId = asId<TenantId>(erasure.tenantId);
  let found: Found = erasure.found ?? foundSchema.parse({});

  const step = async (work: (transaction: TenantTransaction) => Promise<Erased>): Promise<void> => {
    reportProgress(signal);
    found = await scope.asTenant(tenantId, async (transaction) => {
      const { counts, fullValues } = await work(transaction);
      const known = new Set(found.objects.map(({ id }) => id));
      const fresh = (await vectorsToGo(transaction, LOOKED_UP_VECTORS)).filter(({ id }) => !known.has(id));
      const noted: Found = {
        ...found,
        objects: [...fresh, ...found.objects].slice(0, LOOKED_UP_VECTORS),
        fullValues: [...new Set([...found.fullValues, ...fullValues])],
      };
      const isNews = fresh.length > 0 || fullValues.length > 0;
      await noteErasure(transaction, erasure.id, { more: counts, ...(isNews ? { found: noted } : {}) });
      return noted;
    });
  };

  const session = async (sessionId: string): Promise<void> => {
    // Recorded before the file that names them is removed.
    const fullValues = await archivedFullValues(dependencies, tenantId, sessionId, signal);
    if (fullValues.length > 0) await step(() => Promise.resolve({ counts: {}, fullValues }));
    // Its full values, recorded above, are removed later.
    if (await removeArchive({ database, archives: archive, objects: null }, tenantId, sessionId, signal))
      await step(() => Promise.resolve({ counts: { archives: 1 }, fullValues: [] }));
    await step((transaction) => eraseSession(transaction, sessionId));
  };

  const person = async (userId: string): Promise<void> => {
    for (;;) {
      const sessions = await scope.asTenant(tenantId, (transaction) =>
        closePerson(transaction, userId, SESSIONS_AT_ONCE),
      );
      for (const sessionId of sessions) await session(sessionId);
      if (sessions.length < SESSIONS_AT_ONCE) break;
    }
    const tables = await tenantTables(maintenance);
    await step((transaction) => erasePerson(transaction, userId, tables));
  };

  const text = async (searchText: string): Promise<void> => {
    for (const sessionId of found.sessions) await session(sessionId);
    for (const { id, session: of } of found.events)
      if (of !== null) await step((transaction) => eraseEvent(transaction, id, of));
    await step((transaction) => eraseSummaries(transaction, found.summaries));
    await step((transaction) => eraseLearnings(transaction, found.learnings));
    await step((transaction) => eraseEntities(transaction, found.entities));
    await step((transaction) => eraseBeside(transaction, tenantId, searchText));
    // Windows are summarised again from the remaining rows.
    for (const of of new Set(found.events.flatMap((row) => row.session ?? [])))
      await dependencies.hints.session(tenantId, of).catch(() => undefined);
  };

  switch (erasure.kind) {
    case 'session':
      if (erasure.subject !== null) await session(erasure.subject);
      break;
    case 'user':
      if (erasure.subject !== null) await person(erasure.subject);
      break;
    case 'text':
      if (erasure.searchText !== null) await text(erasure.searchText);
      break;
    case 'tenant':
      await eraseTenant(dependencies, erasure, tenantId, signal);
      break;
  }
  await scope.asTenant(tenantId, (transaction) => noteErasure(transaction, erasure.id, { phase: 'rows' }));
}

/** Vectors and full values before the rows: the ledger alone lists the indexes. */
async function eraseTenant(
  { maintenance, scope, vectors, fullValues }: ErasureDependencies,
  erasure: StoredErasure,
  tenantId: TenantId,
  signal: AbortSignal,
): Promise<void> {
  await closeTenant(maintenance, tenantId);
  const { rows: sample } = await maintenance.query<{ model: string; id: string }>(
    'SELECT model, object_id AS id FROM embeddings WHERE tenant_id = $1 ORDER BY id DESC LIMIT 1000',
    [tenantId],
  );
  if (sample.length > 0)
    await scope.asTenant(tenantId, (transaction) =>
      noteErasure(transaction, erasure.id, { found: foundSchema.parse({ objects: sample }) }),
    );
  for (const model of await modelsOfTenant(maintenance, tenantId)) await vectors.drop(tenantId, model);
  if (fullValues !== null) {
    const { rows } = await maintenance.query<{ id: string }>('SELECT id FROM sessions WHERE tenant_id = $1', [
      tenantId,
    ]);
    for (const { id } of rows) {
      reportProgress(signal);
      const hashes = await scope.asTenant(tenantId, (transaction) => fullValuesOf(transaction, id, null));
      for (const sha256 of hashes) await fullValues.delete(fullValueKey(tenantId, sha256));
    }
  }
  const counts = await eraseTenantRows(maintenance, tenantId, await tenantTables(maintenance), signal);
  await scope.asTenant(tenantId, (transaction) => noteErasure(transaction, erasure.id, { more: counts }));
}
