import { erasedName, MAX_ERASED_ROWS } from '../../domain/erasure/erasure-journal.ts';
import { asId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import { foundSchema, noteErasure } from '../../stores/postgres/erasure/erasures.ts';
import type { Found, StoredErasure } from '../../stores/postgres/erasure/erasures.ts';
import { findText, sessionsTitled, TooMuchFound } from '../../stores/postgres/erasure/find-text.ts';
import { assertNoLegalHold, assertNoLearningUnderLegalHold } from '../../stores/postgres/retention/legal-holds.ts';
import { archivedHolding, rowsOfFullValuesContaining } from './archived.ts';
import type { ErasureDependencies } from './journal.ts';
import { writeToJournal } from './journal.ts';

/** Everything that holds the text: rows, archived sessions, whole values. @throws TooMuchFound */
export async function findEverywhere(
  { database, archive, wholes }: ErasureDependencies,
  tenantId: TenantId,
  text: string,
  signal: AbortSignal,
): Promise<Found> {
  const found = await findText(database, tenantId, text, signal);
  const archived = archive === null ? [] : await archivedHolding(database, archive, tenantId, text, signal);
  const cut = wholes === null ? [] : await rowsOfFullValuesContaining(database, wholes, tenantId, text, signal);
  const events = [...new Map([...found.events, ...cut].map((row) => [row.id, row])).values()];
  const sessions = [...new Set([...found.sessions, ...archived])];
  if (events.length + sessions.length > MAX_ERASED_ROWS) throw new TooMuchFound();
  return { ...found, events, sessions };
}

/** Ids that a text's entry in the journal names. */
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
 * Looks for what is to go, and writes it into the journal before anything goes: a backup that was made before is restored without it from then on.
 * @throws Held, TooMuchFound, ArchiveStoreError
 */
export async function findAndJournal(
  dependencies: ErasureDependencies,
  erasure: StoredErasure,
  signal: AbortSignal,
): Promise<void> {
  const { database, now } = dependencies;
  const tenantId = asId<TenantId>(erasure.tenantId);
  const found =
    erasure.kind === 'text' && erasure.needle !== null
      ? await findEverywhere(dependencies, tenantId, erasure.needle, signal)
      : foundSchema.parse({});
  await database.asTenant(tenantId, async (transaction) => {
    const { kind, subject } = erasure;
    if (kind === 'session') await assertNoLegalHold(transaction, { sessionId: subject });
    else if (kind === 'user') await assertNoLegalHold(transaction, { userId: subject });
    else if (kind === 'tenant') await assertNoLegalHold(transaction, {});
    else {
      const titled = await sessionsTitled(transaction, tenantId, erasure.needle ?? '');
      const placed = [...found.events, ...found.summaries].flatMap((row) => row.session ?? []);
      for (const sessionId of new Set([...found.sessions, ...titled, ...placed]))
        await assertNoLegalHold(transaction, { sessionId });
      await assertNoLearningUnderLegalHold(transaction, found.learnings);
    }
  });
  const names = namesOf(erasure, found);
  const sessions = found.sessions.map((id) => erasedName('session', id));
  const record = {
    kind: erasure.kind,
    erasure_id: erasure.id,
    tenant_id: tenantId,
    names: [...names, ...sessions],
  };
  await writeToJournal(dependencies, record, new Date(now()), signal);
  // Found again in a later round: what the rounds before it looked up is looked up once more.
  const objects = erasure.found?.objects ?? [];
  await database.asTenant(tenantId, (transaction) =>
    noteErasure(transaction, erasure.id, { phase: 'journalled', found: { ...found, objects }, more: { rounds: 1 } }),
  );
}
