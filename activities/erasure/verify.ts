import { asId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import { erasedName, journalKey } from '../../domain/erasure/erasure-journal.ts';
import { receiptKey, signReceipt } from '../../domain/erasure/receipt.ts';
import type { ErasureCheck, ErasureReceipt } from '../../domain/erasure/receipt.ts';
import { fullValueKey } from '../../domain/ports/object-store.ts';
import { tenantTables } from '../../stores/postgres/exports/table-catalog.ts';
import { tenantRowsLeft } from '../../stores/postgres/erasure/erase-tenant.ts';
import { entriesOf } from '../../stores/postgres/erasure/erasure-journal.ts';
import { ErasureIncomplete, finishErasure, noteErasure } from '../../stores/postgres/erasure/erasures.ts';
import type { StoredErasure } from '../../stores/postgres/erasure/erasures.ts';
import type { ErasureDependencies } from './journal.ts';
import { countObjects, unnamedValues } from './files-and-vectors.ts';
import { findEverywhere } from './find.ts';
import { intoJournals } from './journal.ts';

const MAX_ROUNDS = 4;

/** Rows of these tables outlive a session: its name, its cost, and ids in transcripts. */
const OUTLIVE: ReadonlySet<string> = new Set([
  'transcript_prompts',
  'usage_ledger',
  'erasures',
  'exports',
  'transcript_files',
]);

/** Counts the rows that still refer to the session, user or tenant, table by table from the catalogue. */
async function rowsLeft(
  dependencies: ErasureDependencies,
  erasure: StoredErasure,
): Promise<{ looked: number; left: number }> {
  const { maintenance } = dependencies;
  const tables = await tenantTables(maintenance);
  if (erasure.kind === 'tenant') {
    const left = await tenantRowsLeft(maintenance, erasure.tenantId, tables);
    return { looked: tables.length, left: Object.values(left).reduce((sum, rows) => sum + rows, 0) };
  }
  const column = erasure.kind === 'session' ? 'session_id' : 'user_id';
  let [looked, left] = [0, 0];
  for (const { name, columns } of tables) {
    const isNamed = columns.some((each) => each.name === column);
    if (!isNamed || (erasure.kind === 'session' && OUTLIVE.has(name))) continue;
    const { rows } = await maintenance.query<{ n: number }>(
      `SELECT count(*)::integer AS n FROM "${name}" WHERE tenant_id = $1 AND "${column}" = $2`,
      [erasure.tenantId, erasure.subject],
    );
    looked += 1;
    left += rows[0]?.n ?? 0;
  }
  return { looked, left };
}

/**
 * Checks every store for leftovers. If there are any, the erasure starts another round; else the signed receipt is stored with the journal and
 * in the row. Returns true if completed. @throws ErasureIncomplete
 */
export async function verifyErased(
  dependencies: ErasureDependencies,
  erasure: StoredErasure,
  signal: AbortSignal,
): Promise<boolean> {
  const { scope, fullValues, archive, journals, now } = dependencies;
  const tenantId = asId<TenantId>(erasure.tenantId);
  const at = () => new Date(now()).toISOString();
  const checks: ErasureCheck[] = [];
  if (erasure.kind === 'text') {
    const found = await findEverywhere(dependencies, tenantId, erasure.searchText ?? '', signal);
    const left = found.events.length + found.summaries.length + found.learnings.length + found.entities.length;
    const how = 'every text column was searched for it';
    checks.push({ where: 'database', how, looked_at: erasure.found?.events.length ?? 0, left, at: at() });
    if (archive !== null)
      checks.push({
        where: 'archive store',
        how: 'every archived session was read for it; exports were removed',
        looked_at: erasure.counts['archives'] ?? 0,
        left: found.sessions.length,
        at: at(),
      });
  } else {
    const { looked, left } = await rowsLeft(dependencies, erasure);
    checks.push({
      where: 'database',
      how: 'rows that name it were counted in every table',
      looked_at: looked,
      left,
      at: at(),
    });
  }
  const objects = erasure.found?.objects ?? [];
  const remaining = await countObjects(dependencies, tenantId, objects, signal);
  checks.push({
    where: 'vector index',
    how: 'the removed objects were looked up by their ids',
    looked_at: objects.length,
    left: remaining,
    at: at(),
  });
  if (fullValues !== null) {
    let left = 0;
    const hashes = await unnamedValues(dependencies, erasure);
    for (const sha256 of hashes) if ((await fullValues.get(fullValueKey(tenantId, sha256))) !== null) left += 1;
    const how = 'those that no other row names were looked up by their hashes';
    checks.push({ where: 'full values', how, looked_at: hashes.length, left, at: at() });
  }
  if (checks.some(({ left }) => left > 0)) {
    if ((erasure.counts['rounds'] ?? 0) >= MAX_ROUNDS)
      throw new ErasureIncomplete('the erased data is written again after every round: stop its source');
    await scope.asTenant(tenantId, (transaction) => noteErasure(transaction, erasure.id, { phase: 'queued' }));
    return false;
  }
  const { rounds: _rounds, ...removed } = erasure.counts;
  const journalled = await entriesOf(dependencies.maintenance, erasure.id);
  const entries = journalled.map(({ journal, sequence }) => journalKey(journal, sequence));
  const receipt: ErasureReceipt = {
    version: 1,
    id: erasure.id,
    kind: erasure.kind,
    name: nameOf(erasure),
    requested_at: erasure.createdAt.toISOString(),
    finished_at: at(),
    removed,
    checks,
    journal: { entries, stores: entries.length === 0 ? 0 : journals.length },
  };
  const signed = signReceipt(receipt, dependencies.signingKey);
  await intoJournals(dependencies, receiptKey(erasure.id), Buffer.from(JSON.stringify(signed)), signal);
  await scope.asTenant(tenantId, (transaction) => finishErasure(transaction, erasure.id, erasure.kind, { ...signed }));
  return true;
}

function nameOf({ kind, subject, tenantId }: StoredErasure): string | null {
  if (kind === 'text') return null;
  return kind === 'tenant' ? erasedName('tenant', tenantId) : erasedName(kind, subject ?? '');
}
