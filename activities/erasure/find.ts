import { erasedName, MAX_ERASED_ROWS } from '../../domain/erasure/erasure-journal.ts';
import { asId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import { foundSchema, noteErasure } from '../../stores/postgres/erasure/erasures.ts';
import type { Found, StoredErasure } from '../../stores/postgres/erasure/erasures.ts';
import { findBeside, findText, sessionsTitled, TooMuchFound } from '../../stores/postgres/erasure/find-text.ts';
import { assertNoLegalHold, assertNoLearningUnderLegalHold } from '../../stores/postgres/retention/legal-holds.ts';
import { archivedContaining, fullValuesContaining } from './archived.ts';
import type { ErasureDependencies } from './journal.ts';
import { writeToJournal } from './journal.ts';

/** Finds a text in rows, archived sessions and full values. @throws TooMuchFound */
export async function findEverywhere(
  { database, archive, fullValues }: ErasureDependencies,
  tenantId: TenantId,
  text: string,
  signal: AbortSignal,
): Promise<Found> {
  const found = await findText(database, tenantId, text, signal);
  const archived = archive === null ? [] : await archivedContaining(database, archive, tenantId, text, signal);
  const cut =
    fullValues === null
      ? { events: [], sessions: [] }
      : await fullValuesContaining(database, fullValues, tenantId, text, signal);
  const events = [...new Map([...found.events, ...cut.events].map((row) => [row.id, row])).values()];
  const sessions = [...new Set([...found.sessions, ...archived, ...cut.sessions])];
  if (events.length + sessions.length > MAX_ERASED_ROWS) throw new TooMuchFound();
  return { ...found, events, sessions };
}

/** Returns the ids in the journal entry of a text. */
function rowsIn(found: Found): string[] {
  const ids = [...found.events, ...found.summaries].map(({ id }) => id);
  return [...ids, ...found.learnings, ...found.entities];
}

function namesOf({ kind, subject, tenantId }: StoredErasure, found: Found): string[] {
  switch (kind) {
    case 'session':
    case 'user':
      return subject === null ? [] : [erasedName(kind, subject)];
    case 'tenant':
      return [erasedName('tenant', tenantId)];
    case 'text':
      return rowsIn(found).map((id) => erasedName('row', id));
  }
}

/**
 * Finds what to erase and writes it to the journal first, so that restores of older backups repeat it. @throws LegalHoldError, TooMuchFound,
 * ArchiveStoreError
 */
export async function findAndJournal(
  dependencies: ErasureDependencies,
  erasure: StoredErasure,
  signal: AbortSignal,
): Promise<void> {
  const { database, now } = dependencies;
  const tenantId = asId<TenantId>(erasure.tenantId);
  const found =
    erasure.kind === 'text' && erasure.searchText !== null
      ? await findEverywhere(dependencies, tenantId, erasure.searchText, signal)
      : foundSchema.parse({});
  const beside = await database.asTenant(tenantId, async (transaction) => {
    const { kind, subject } = erasure;
    if (kind === 'session') await assertNoLegalHold(transaction, { sessionId: subject });
    else if (kind === 'user') await assertNoLegalHold(transaction, { userId: subject });
    else if (kind === 'tenant') await assertNoLegalHold(transaction, {});
    else {
      const titled = await sessionsTitled(transaction, tenantId, erasure.searchText ?? '');
      const placed = [...found.events, ...found.summaries].flatMap((row) => row.session ?? []);
      for (const sessionId of new Set([...found.sessions, ...titled, ...placed]))
        await assertNoLegalHold(transaction, { sessionId });
      await assertNoLearningUnderLegalHold(transaction, found.learnings);
      return findBeside(transaction, tenantId, erasure.searchText ?? '');
    }
    return [];
  });
  const sessions = found.sessions.map((id) => erasedName('session', id));
  const others = beside.map((id) => erasedName('beside', id));
  const names = [...namesOf(erasure, found), ...sessions, ...others];
  if (names.length > MAX_ERASED_ROWS) throw new TooMuchFound();
  const record = {
    kind: erasure.kind,
    erasure_id: erasure.id,
    tenant_id: tenantId,
    names,
  };
  await writeToJournal(dependencies, record, new Date(now()), signal);
  // A later round checks the objects of earlier rounds again.
  const objects = erasure.found?.objects ?? [];
  await database.asTenant(tenantId, (transaction) =>
    noteErasure(transaction, erasure.id, { phase: 'journalled', found: { ...found, objects }, more: { rounds: 1 } }),
  );
}
