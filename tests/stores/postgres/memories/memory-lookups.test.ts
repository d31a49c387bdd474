import { beforeAll, expect, test } from 'vitest';
import { memoryHash } from '../../../../domain/memory.ts';
import { captureEvents } from '../../../../stores/postgres/capture/capture.ts';
import { idsNamed, readRequests } from '../../../../stores/postgres/memories/memory-lookups.ts';
import { fileDatabase, fileUser } from '../../../setup/database.ts';
import type { TestUser } from '../../../setup/database.ts';
import { until } from '../../../setup/until.ts';
import { event, noted, promptPart } from '../support/captures.ts';

/** Chunks in the ledger of each of two tenants. */
const CHUNKS = 20_000;
const db = fileDatabase();
const user = fileUser(db);
const other = fileUser(db);

beforeAll(async () => {
  for (const { tenantId } of [user, other])
    await db.write(
      `INSERT INTO embeddings (id, tenant_id, resource_type, resource_id, chunk, model, dimension, content_hash, object_id, state)
       SELECT uuidv7(), $1, 'prompt', gen_random_uuid(), 0, 'some', 3, '\\x00', uuidv7(), 'indexed' FROM generate_series(1, $2::integer)`,
      [tenantId, CHUNKS],
    );
  await db.owner.query('VACUUM ANALYZE embeddings');
});

async function someId({ tenantId }: TestUser): Promise<string> {
  const rows = await db.rows<{ id: string }>(
    'SELECT resource_id AS id FROM embeddings WHERE tenant_id = $1 ORDER BY id OFFSET 7777 LIMIT 1',
    [tenantId],
  );
  return rows[0]?.id ?? '';
}

async function indexScans(): Promise<number> {
  const scans =
    "SELECT idx_scan::integer AS value FROM pg_stat_user_indexes WHERE indexrelname = 'embeddings_hash_idx'";
  return (await db.value<number>(scans)) ?? -1;
}

test('a hash names the ids of its own tenant, by the index, and an id names itself', async () => {
  const [own, foreign] = [await someId(user), await someId(other)];
  const before = await indexScans();
  const named = await db.database.readAsTenant(user.tenantId, async (read) => {
    const found = await idsNamed(read, [memoryHash(own), memoryHash(foreign), own.toUpperCase()]);
    await read({ name: 'flush', text: 'SELECT pg_stat_force_next_flush()', values: [] });
    return found;
  });
  expect([...named.values()]).toEqual([[own], [], [own]]);
  // A reader does not wait for the end of its transaction, which is when the scan is counted.
  await until(async () => ((await indexScans()) > before ? true : undefined), undefined, 'a scan of the index');
});

test('without a tenant a hash names nothing', async () => {
  const ending = (await someId(user)).slice(-10);
  const { rows } = await db.database.pool.query('SELECT memory_id FROM find_memories_by_hash($1::text[])', [[ending]]);
  expect(rows).toEqual([]);
});

test('what follows a prompt of the user has its beginning for a purpose; the prompt itself, and what came before it, has none', async () => {
  const one = event(user, 'one', [
    noted('before'),
    promptPart(`fix the build ${'please '.repeat(200)}`),
    noted('output'),
    promptPart('completed', 'assistant'),
    promptPart('now the docs'),
    noted('later'),
  ]);
  await captureEvents(db.database.pool, [one, event(user, 'two', [noted('elsewhere')])]);
  const refs = one.rows.flatMap(({ kind, id }) => (kind === 'boundary' ? [] : [{ type: kind, id }]));
  const requests = await db.database.readAsTenant(user.tenantId, (read) => readRequests(read, refs));
  expect(refs.map(({ id }) => requests.get(id)?.purpose.slice(0, 20))).toEqual([
    undefined,
    undefined,
    'fix the build please',
    'fix the build please',
    undefined,
    'now the docs',
  ]);
  expect(requests.get(refs[2]?.id ?? '')?.id).toBe(refs[1]?.id);
  expect(requests.get(refs[2]?.id ?? '')?.purpose.length).toBeLessThanOrEqual(160);
});
