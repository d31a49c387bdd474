import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { suggestAnswer } from '../../../contract/search.ts';
import type { TestUser } from '../../setup/database.ts';
import { fileInstance } from '../../setup/file-instance.ts';

const instance = fileInstance();
let stranger: TestUser;

/** Completes a text. On a busy machine an answer may be empty, since it took more than half a second: those that contain something are polled. */
async function suggest(q: string, more = '', key = instance.admin.key) {
  const answer = await instance.get(`/search/suggest?q=${encodeURIComponent(q)}${more}`, key);
  return suggestAnswer.parse(answer.body).data;
}
const textsOf = async (q: string, more = '') => (await suggest(q, more)).map(({ text }) => text);

async function entity(user: TestUser, type: string, label: string, mentions: number): Promise<void> {
  const id = randomUUID();
  await instance.write(
    `INSERT INTO entities (id, tenant_id, type, name, label, weight, first_seen, last_seen) VALUES ($1, $2, $3, lower($4), $4, $5, now(), now())`,
    [id, user.tenantId, type, label, mentions],
  );
  await instance.write(
    `INSERT INTO entity_mentions (entity_id, session_id, source_id, source_type, tenant_id, occurred_at)
     SELECT $1, gen_random_uuid(), gen_random_uuid(), 'prompt', $2, now() FROM generate_series(1, $3::integer)`,
    [id, user.tenantId, mentions],
  );
}

beforeAll(async () => {
  stranger = await instance.stranger();
  const { admin } = instance;
  await entity(admin, 'file', 'src/money/Rounding.ts', 4);
  await entity(admin, 'tool', 'rollup', 2);
  await entity(admin, 'concept', 'money rounding', 1);
  await entity(admin, 'concept', '100%_sure', 1);
  await entity(admin, 'concept', '数据库迁移', 3);
  await entity(stranger, 'concept', 'rosebud of a stranger', 9);
  await instance.post('/memories', {
    title: 'Spherical cows',
    content: 'Spherical cows',
    project: 'farm',
    tags: ['spherical'],
  });
  await instance.post('/learnings', {
    title: 'Spherical hens',
    description: 'Spherical hens',
    namespace: 'coop',
    tags: ['spherical-hens'],
  });
  await instance.post('/learnings', {
    title: 'Round half to even',
    description: 'Round half to even',
    tags: ['rounding-rules'],
  });
});

describe('completion', () => {
  test('puts what begins with it first, then words that do, and counts', async () => {
    await expect
      .poll(() => suggest('ro'))
      .toEqual([
        { text: 'rollup', kind: 'entity', count: 2 },
        { text: 'rounding-rules', kind: 'tag', count: 1 },
        { text: 'Round half to even', kind: 'title', count: 1 },
      ]);
    await expect
      .poll(async () => (await suggest('ROUND')).map(({ text, kind }) => [text, kind]))
      .toEqual([
        ['rounding-rules', 'tag'],
        ['Round half to even', 'title'],
        ['src/money/Rounding.ts', 'file'],
        ['money rounding', 'entity'],
      ]);
    await expect.poll(() => textsOf('round', '&limit=1')).toHaveLength(1);
  });

  test('knows Chinese, slips of the hand, and takes no character for a pattern', async () => {
    await expect.poll(() => textsOf('数据')).toEqual(['数据库迁移']);
    await expect.poll(() => textsOf('库迁移')).toEqual(['数据库迁移']);
    await expect.poll(() => textsOf('mony roundin')).toContain('money rounding');
    await expect.poll(() => textsOf('100%_')).toEqual(['100%_sure']);
    for (const q of ['%%', '__', '(['.padEnd(9, '('), '\\\\', "' OR 1=1"]) expect(await textsOf(q)).toEqual([]);
  });

  test('is narrowed to a project or a namespace', async () => {
    await instance.write(
      `INSERT INTO entities (id, tenant_id, project_id, namespace, type, name, label, weight, first_seen, last_seen)
       SELECT gen_random_uuid(), tenant_id, id, 'coop', 'concept', 'spherical eggs', 'spherical eggs', 1, now(), now() FROM projects WHERE tenant_id = $1 AND display_name = 'farm'`,
      [instance.admin.tenantId],
    );
    await expect
      .poll(async () => (await textsOf('spherical')).toSorted())
      .toEqual(['Spherical cows', 'Spherical hens', 'spherical', 'spherical eggs', 'spherical-hens'].toSorted());
    await expect
      .poll(async () => (await textsOf('spherical', '&project=farm')).toSorted())
      .toEqual(['Spherical cows', 'spherical', 'spherical eggs']);
    await expect
      .poll(async () => (await textsOf('spherical', '&namespace=coop')).toSorted())
      .toEqual(['Spherical hens', 'spherical eggs', 'spherical-hens']);
    await expect.poll(() => textsOf('spherical', '&project=farm&namespace=coop')).toEqual(['spherical eggs']);
    expect(await textsOf('spherical', '&project=nowhere')).toEqual([]);
  });

  test('returns nothing of another tenant', async () => {
    expect(await textsOf('rosebud')).toEqual([]);
    await expect
      .poll(async () => (await suggest('rosebud', '', stranger.key)).map(({ text }) => text))
      .toEqual(['rosebud of a stranger']);
    expect(await suggest('round', '', stranger.key)).toEqual([]);
  });

  test('looks into indexes, as the role of the application', async () => {
    await instance.write(
      `INSERT INTO entities (id, tenant_id, type, name, label, weight, first_seen, last_seen)
       SELECT gen_random_uuid(), $1, 'concept', 'name ' || md5(n::text), 'name ' || md5(n::text), 0, now(), now() FROM generate_series(1, 20000) AS n`,
      [stranger.tenantId],
    );
    await instance.db.owner.query('VACUUM ANALYZE entities');
    const scans = async () => {
      await instance.rows('SELECT pg_stat_force_next_flush()');
      const rows = await instance.rows<{
        seq: number;
        gin: number;
      }>(`SELECT (SELECT seq_tup_read::integer FROM pg_stat_user_tables WHERE relname = 'entities') AS seq,
                (SELECT idx_scan::integer FROM pg_stat_user_indexes WHERE indexrelname = 'entities_name_idx') AS gin`);
      return rows[0] ?? { seq: -1, gin: -1 };
    };
    const before = await scans();
    const looks = Array.from({ length: 12 }, (_, n) => ['rollup', `na${n}`]).flat();
    // More than three characters are compared by similarity, too.
    const reads = looks.reduce((sum, q) => sum + (q.length > 3 ? 2 : 1), 0);
    for (const q of looks) await suggest(q, '', stranger.key);
    await instance.db.database.pool.query('SELECT pg_stat_force_next_flush()');
    // The connections of the server report their statistics when they are idle for some seconds. Four looks may have taken too long to read an index.
    await expect.poll(async () => (await scans()).gin - before.gin).toBeGreaterThanOrEqual(reads - 8);
    expect((await scans()).seq).toBe(before.seq);
  });
});
