import type pg from 'pg';
import { z } from 'zod';
import { asId } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import type { ErasedNames } from '../../../domain/erasure/erasure-journal.ts';
import { tenantTables } from '../exports/table-catalog.ts';
import { eraseEntities, eraseEvent, eraseLearnings, erasePerson, eraseSession, eraseSummaries } from './erase-rows.ts';
import { BESIDE } from './find-text.ts';
import { ANY_USER } from './forgotten.ts';
import { eraseTenantRows } from './erase-tenant.ts';
import { tenantScopeOf } from '../connection/tenant-scope.ts';
import type { TenantScope } from '../connection/tenant-scope.ts';
import { idsOf, rowOf, tenantColumn } from '../connection/rows.ts';

const tombstoneRow = rowOf({
  tenant_id: tenantColumn,
  host: z.string(),
  external_id: z.string(),
  /** Owner of the session; zeros if no session is named. */
  user_id: z.string(),
  key_sha256: z.instanceof(Buffer),
});

/** A tombstone row of the running database. */
export type ReplayedTombstone = z.output<typeof tombstoneRow>;

/** Numbers of erased rows, by table. */
export type ReplayedCounts = Record<string, number>;

const placedRows = z.array(rowOf({ id: z.string(), session_id: z.string() }));
const sessionRows = z.array(rowOf({ tenant_id: tenantColumn, id: z.string() }));
const eventRows = z.array(rowOf({ tenant_id: tenantColumn, id: z.string(), session_id: z.string() }));

function add(counts: ReplayedCounts, more: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(more)) if (value > 0) counts[name] = (counts[name] ?? 0) + value;
}

/** `t.id`, or another column, named as the journal and tombstones name it. */
const NAME = (what: string, column = 'id') => `encode(sha256(convert_to('${what}:' || t.${column}, 'UTF8')), 'hex')`;

interface Replay {
  readonly pool: pg.Pool;
  readonly scope: TenantScope;
  readonly counts: ReplayedCounts;
}

async function named(pool: pg.Pool, table: string, what: string, tenantId: string, names: readonly string[]) {
  const { rows } = await pool.query(
    `SELECT t.id FROM ${table} t WHERE t.tenant_id = $1 AND ${NAME(what)} = ANY ($2::text[])`,
    [tenantId, names],
  );
  return idsOf(rows);
}

async function namedIn(pool: pg.Pool, table: string, tenantId: string, names: readonly string[]) {
  const { rows } = await pool.query(
    `SELECT t.id, t.session_id FROM ${table} t WHERE t.tenant_id = $1 AND ${NAME('row')} = ANY ($2::text[])`,
    [tenantId, names],
  );
  return placedRows.parse(rows);
}

/** Erases the rows of a tenant that are named `row:…`: events with everything derived from them, summaries, learnings, names of the graph. */
async function eraseNamedRows({ pool, scope, counts }: Replay, tenantId: TenantId, names: readonly string[]) {
  for (const table of ['prompts', 'observations', 'boundaries'])
    for (const { id, sessionId } of await namedIn(pool, table, tenantId, names))
      add(counts, (await scope.asTenant(tenantId, (transaction) => eraseEvent(transaction, id, sessionId))).counts);
  const summaries = (await namedIn(pool, 'summaries', tenantId, names)).map((row) => ({
    id: row.id,
    session: row.sessionId,
  }));
  add(counts, (await scope.asTenant(tenantId, (transaction) => eraseSummaries(transaction, summaries))).counts);
  const learnings = await named(pool, 'learnings', 'row', tenantId, names);
  add(counts, (await scope.asTenant(tenantId, (transaction) => eraseLearnings(transaction, learnings))).counts);
  const entities = await named(pool, 'entities', 'row', tenantId, names);
  add(counts, (await scope.asTenant(tenantId, (transaction) => eraseEntities(transaction, entities))).counts);
}

/** Rows that remain without their text. */
const CLEARED: Readonly<Record<string, string>> = {
  sessions: "UPDATE sessions t SET title = NULL, metadata = '{}', updated_at = now()",
  gdpr_requests: "UPDATE gdpr_requests t SET state = 'cancelled', body = NULL, finished_at = now(), updated_at = now()",
};

/** Erases text outside of memories in the rows of a tenant that are named `beside:…`, and the caches of the tenant, which may contain it. */
async function eraseNamedBeside({ pool, counts }: Replay, tenantId: TenantId, names: readonly string[]): Promise<void> {
  for (const [table, column] of Object.entries(BESIDE)) {
    const isNamed = `t.tenant_id = $1 AND ${NAME('beside', column)} = ANY ($2::text[])`;
    const change = CLEARED[table] ?? `DELETE FROM ${table} t`;
    const { rowCount } = await pool.query(`${change} WHERE ${isNamed}`, [tenantId, names]);
    add(counts, { [table === 'sessions' ? 'titles' : table]: rowCount ?? 0 });
  }
  for (const cache of ['model_response_cache', 'project_glossaries'])
    await pool.query(`DELETE FROM ${cache} WHERE tenant_id = $1`, [tenantId]);
}

async function eraseUser({ pool, scope, counts }: Replay, tenantId: TenantId, userId: string): Promise<void> {
  const { rows } = await pool.query("SELECT id FROM sessions WHERE user_id = $1 AND status <> 'deleted' ORDER BY id", [
    userId,
  ]);
  for (const id of idsOf(rows))
    add(counts, (await scope.asTenant(tenantId, (transaction) => eraseSession(transaction, id))).counts);
  const tables = await tenantTables(pool);
  add(counts, (await scope.asTenant(tenantId, (transaction) => erasePerson(transaction, userId, tables))).counts);
}

async function replayEntry(replay: Replay, entry: ErasedNames): Promise<void> {
  const { pool, scope, counts } = replay;
  const tenantId = asId<TenantId>(entry.tenant_id);
  switch (entry.kind) {
    case 'session':
      for (const id of await named(pool, 'sessions', 'session', tenantId, entry.names))
        add(counts, (await scope.asTenant(tenantId, (transaction) => eraseSession(transaction, id))).counts);
      return;
    case 'user':
      for (const id of await named(pool, 'users', 'user', tenantId, entry.names)) await eraseUser(replay, tenantId, id);
      return;
    case 'tenant':
      add(counts, await eraseTenantRows(pool, tenantId, await tenantTables(pool)));
      return;
    case 'text':
      for (const id of await named(pool, 'sessions', 'session', tenantId, entry.names))
        add(counts, (await scope.asTenant(tenantId, (transaction) => eraseSession(transaction, id))).counts);
      await eraseNamedRows(replay, tenantId, entry.names);
      await eraseNamedBeside(replay, tenantId, entry.names);
      return;
  }
}

/** Ends the erasures that were under way in a database that takes another one's place: their workflows know nothing of its rows. */
export async function endErasures(pool: pg.Pool): Promise<void> {
  await pool.query(
    "UPDATE erasures SET search_text = NULL, found = NULL, state = 'failed', error = 'Restored', finished_at = now(), updated_at = now() WHERE state = 'running'",
  );
}

/** Tombstones of one statement. */
const TOMBSTONES_AT_ONCE = 5_000;

/** The key of `k` as a tombstone names it (stores/postgres/erasure/forget.ts). */
const BARE_KEY = `regexp_replace(regexp_replace(k.key, chr(31) || '\\d+$', ''), '^(hash:[0-9a-f]{64})@\\d+$', '\\1')`;

/** Buries what other tombstones name, and erases what they find; those whose tenant is not here name nothing. */
async function replayTombstones(replay: Replay, tombstones: readonly ReplayedTombstone[]): Promise<void> {
  const { pool, scope, counts } = replay;
  const given = [
    tombstones.map(({ tenantId }) => tenantId),
    tombstones.map(({ host }) => host),
    tombstones.map(({ externalId }) => externalId),
    tombstones.map(({ keySha256 }) => Buffer.from(keySha256).toString('hex')),
    tombstones.map(({ userId }) => userId),
  ];
  const rows = `(SELECT tenant_id, host, external_id, user_id, decode(key, 'hex') AS key_sha256
     FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[]) AS v(tenant_id, host, external_id, key, user_id))`;
  const sessions = `sessions s ON s.tenant_id = b.tenant_id AND s.host = b.host AND s.external_id = b.external_id AND b.user_id IN (s.user_id, ${ANY_USER})`;
  await pool.query(
    `INSERT INTO tombstones (tenant_id, host, external_id, user_id, key_sha256) SELECT b.* FROM ${rows} b JOIN tenants t ON t.id = b.tenant_id ON CONFLICT DO NOTHING`,
    given,
  );
  const forgotten = await pool.query(
    `SELECT s.tenant_id, s.id FROM ${rows} b JOIN ${sessions}
      WHERE b.key_sha256 = sha256('session') AND s.status <> 'deleted'`,
    given,
  );
  for (const { tenantId, id } of sessionRows.parse(forgotten.rows))
    add(counts, (await scope.asTenant(tenantId, (transaction) => eraseSession(transaction, id))).counts);
  const events = await pool.query(
    `SELECT DISTINCT s.tenant_id, k.row_id AS id, s.id AS session_id FROM ${rows} b
       JOIN ${sessions} JOIN capture_keys k ON k.session_id = s.id
       LEFT JOIN prompts p ON p.id = k.row_id
      WHERE b.key_sha256 IN (sha256(convert_to('key:' || ${BARE_KEY}, 'UTF8')), sha256(convert_to('content:' || encode(p.sha256, 'hex'), 'UTF8')))`,
    given,
  );
  for (const { tenantId, id, sessionId } of eventRows.parse(events.rows))
    add(counts, (await scope.asTenant(tenantId, (transaction) => eraseEvent(transaction, id, sessionId))).counts);
  const ofRows = Map.groupBy(
    tombstones.filter(({ host, externalId }) => host === '' && externalId === ''),
    ({ tenantId }) => tenantId,
  );
  for (const [tenantId, tombstones] of ofRows)
    await eraseNamedRows(
      replay,
      tenantId,
      tombstones.map(({ keySha256 }) => Buffer.from(keySha256).toString('hex')),
    );
}

/**
 * Repeats on an older database every erasure of the journal, in the given order, and those named by the tombstones of the running database; a text is
 * erased by the rows that contained it. Clears the search text of an erasure that was running. Returns the deleted rows by table. Idempotent; vectors are
 * left to the ledger, whose rows become removals. `pool` has the maintenance role.
 */
export async function replayErasures(
  pool: pg.Pool,
  entries: readonly ErasedNames[],
  tombstones: AsyncIterable<ReplayedTombstone> | Iterable<ReplayedTombstone> = [],
): Promise<ReplayedCounts> {
  const scope = tenantScopeOf(pool);
  const replay: Replay = { pool, scope, counts: {} };
  try {
    for (const entry of entries) await replayEntry(replay, entry);
    let batch: ReplayedTombstone[] = [];
    for await (const tombstone of tombstones) {
      batch.push(tombstone);
      if (batch.length < TOMBSTONES_AT_ONCE) continue;
      await replayTombstones(replay, batch);
      batch = [];
    }
    if (batch.length > 0) await replayTombstones(replay, batch);
    await endErasures(pool);
    return replay.counts;
  } finally {
    await scope.close();
  }
}

/** Returns the tombstones since a time, as the maintenance role; read in pages along the key. */
export async function* tombstonesSince(
  running: pg.Pool,
  since: Date,
  atOnce = TOMBSTONES_AT_ONCE,
): AsyncGenerator<ReplayedTombstone> {
  for (let last: ReplayedTombstone | undefined, more = true; more;) {
    const { rows } = await running.query(
      `SELECT tenant_id, host, external_id, user_id, key_sha256 FROM tombstones
        WHERE created_at >= $1 AND ($3::uuid IS NULL OR (tenant_id, host, external_id, user_id, key_sha256) > ($3, $4, $5, $6, $7))
        ORDER BY tenant_id, host, external_id, user_id, key_sha256 LIMIT $2`,
      [since, atOnce, last?.tenantId, last?.host, last?.externalId, last?.userId, last?.keySha256],
    );
    const found = z.array(tombstoneRow).parse(rows);
    yield* found;
    last = found.at(-1);
    more = found.length === atOnce;
  }
}
