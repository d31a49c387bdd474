import { beforeEach, describe, expect, test } from 'vitest';
import { createGraphBuilder } from '../../../../domain/graph/graph.ts';
import type { EntityType, Mention, SessionGraph } from '../../../../domain/graph/graph.ts';
import { newId } from '../../../../domain/ids.ts';
import { readNeighbourhood } from '../../../../stores/postgres/graph/graph.ts';
import type { NeighbourhoodQuery } from '../../../../stores/postgres/graph/graph.ts';
import { forgetGraph, moveGraph, writeGraph } from '../../../../stores/postgres/graph/graph-writes.ts';
import { projectGlossary } from '../../../../stores/postgres/graph/glossary.ts';
import { fileDatabase } from '../../../setup/database.ts';
import type { TestUser } from '../../../setup/database.ts';

const DAY_MS = 86_400_000;
const db = fileDatabase();
let user: TestUser;
let projectId: string;

beforeEach(async () => {
  user = await db.createUser();
  projectId = await db.createProject(user);
});

function mention(sourceId: string = newId(), occurredAtMs = 1_000): Mention {
  return { sourceType: 'observation', sourceId, quote: 'a verbatim quote', occurredAtMs };
}

/** Files of a project, each with mentions of its own. */
function filesOf(names: readonly string[], sources: readonly string[] = [newId()]): SessionGraph {
  const builder = createGraphBuilder();
  for (const source of sources)
    for (const name of names) {
      const reference = mention(source);
      builder.relate(
        'part_of',
        builder.mention('file', name, reference),
        builder.mention('project', 'shop', reference),
        reference,
      );
    }
  return builder.build();
}

const write = (
  graph: SessionGraph,
  sessionId: string = newId(),
  project: string | null = projectId,
  namespace = 'default',
) =>
  db.database.asTenant(user.tenantId, (transaction) =>
    writeGraph(transaction, { tenantId: user.tenantId, sessionId, projectId: project, namespace }, graph),
  );
const read = (query: Partial<NeighbourhoodQuery>) =>
  db.database.asTenant(user.tenantId, (transaction) =>
    readNeighbourhood(transaction, { depth: 1, limit: 50, viewerId: undefined, ...query }),
  );
const weights = async (table: 'entities' | 'relations') =>
  (
    await db.rows<{ weight: number }>(
      `SELECT weight::float8 AS weight FROM ${table} WHERE tenant_id = $1 ORDER BY weight DESC, id`,
      [user.tenantId],
    )
  ).map((row) => row.weight);

describe('writing', () => {
  test('again changes nothing', async () => {
    const session = newId();
    const graph = filesOf(['a.ts', 'b.ts'], [newId(), newId()]);
    await write(graph, session);
    const before = await read({ projectId });
    await write(graph, session);
    expect(await read({ projectId })).toEqual(before);
    expect(before.entities.map((entity) => entity.label).toSorted()).toEqual(['a.ts', 'b.ts', 'shop']);
  });

  test('weighs sessions more than mentions of one', async () => {
    await write(filesOf(['a.ts'], [newId(), newId(), newId()]));
    expect(await weights('entities')).toEqual([expect.closeTo(1 + Math.log(3), 5), expect.closeTo(1 + Math.log(3), 5)]);
    await write(filesOf(['a.ts']));
    expect((await weights('relations'))[0]).toBeCloseTo(2 + Math.log(3), 5);
  });

  test('without a project stores one entity per name, too', async () => {
    await write(filesOf(['a.ts']), newId(), null);
    await write(filesOf(['a.ts']), newId(), null);
    expect(await weights('entities')).toEqual([2, 2]);
  });

  test('is visible to its tenant only', async () => {
    await write(filesOf(['a.ts']));
    const other = await db.createUser();
    const neighbourhood = await db.database.asTenant(other.tenantId, (transaction) =>
      readNeighbourhood(transaction, { depth: 2, limit: 50, viewerId: undefined }),
    );
    expect(neighbourhood).toEqual({ entities: [], relations: [] });
  });
});

describe('a neighbourhood', () => {
  /** error ← solution → concept, and the concept belongs to nothing else. */
  const chain = () => {
    const builder = createGraphBuilder();
    const place = (type: EntityType, label: string) => builder.mention(type, label, mention());
    const solution = place('solution', 'Round half even');
    builder.relate('solves', solution, place('error', 'TypeError'), mention());
    builder.relate('related_to', place('concept', 'rounding'), solution, mention());
    return builder.build();
  };

  test('starts at a name, and extends one or two steps', async () => {
    await write(chain());
    const one = await read({ query: 'typeerr' });
    expect(one.entities.map(({ label, distance }) => [label, distance])).toEqual([
      ['TypeError', 0],
      ['Round half even', 1],
    ]);
    expect(one.relations).toMatchObject([{ type: 'solves', evidence: [{ quote: 'a verbatim quote' }] }]);
    const two = await read({ query: 'TypeError', depth: 2 });
    expect(two.entities.map((entity) => entity.distance)).toEqual([0, 1, 2]);
    expect(two.relations).toHaveLength(2);
  });

  test('starts at an entity', async () => {
    await write(chain());
    const [error] = (await read({ query: 'TypeError' })).entities;
    expect((await read({ nodeId: error?.id ?? '' })).entities[0]).toMatchObject({ id: error?.id, distance: 0 });
    expect(await read({ nodeId: newId() })).toEqual({ entities: [], relations: [] });
  });

  test('is limited to the requested size and project', async () => {
    await write(filesOf(Array.from({ length: 30 }, (_, n) => `f${n}.ts`)));
    expect((await read({ query: 'shop', limit: 7 })).entities).toHaveLength(7);
    const shown = await read({ query: 'shop', limit: 7 });
    const ids = new Set(shown.entities.map((entity) => entity.id));
    for (const relation of shown.relations)
      expect([ids.has(relation.fromId), ids.has(relation.toId)]).toEqual([true, true]);
    expect((await read({ projectId: await db.createProject(user) })).entities).toEqual([]);
    expect((await read({ type: 'project' })).entities.filter((entity) => entity.distance === 0)).toHaveLength(1);
  });

  test('is read by index', async () => {
    await write(chain());
    const client = await db.maintenance.connect();
    try {
      // Tables of a test are small: scanning them is cheapest, unless it is ruled out.
      await client.query('SET enable_seqscan = off');
      for (const sql of [
        'SELECT id FROM relations WHERE from_id = $1 ORDER BY weight DESC, id LIMIT 40',
        'SELECT id FROM relations WHERE to_id = $1 ORDER BY weight DESC, id LIMIT 40',
        'SELECT * FROM entity_mentions WHERE entity_id = $1 ORDER BY occurred_at DESC, source_id LIMIT 5',
        'SELECT * FROM relation_evidence WHERE relation_id = $1 ORDER BY occurred_at DESC, source_id LIMIT 5',
        'SELECT id FROM entities WHERE tenant_id = $1 ORDER BY weight DESC LIMIT 10',
      ]) {
        await client.query('SET enable_sort = off');
        await client.query('SET enable_bitmapscan = off');
        const plan = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${sql.replaceAll('$1', `'${newId()}'`)}`);
        // A hub has thousands: those that are shown are the first of an index, and nothing is sorted.
        expect(plan.rows.map((row) => row['QUERY PLAN']).join('\n')).not.toMatch(/Seq Scan|Sort/);
      }
    } finally {
      client.release(true);
    }
  });
});

describe('forgetting', () => {
  test('a session deletes what it alone named, and subtracts its weight from shared entities', async () => {
    const [first, second] = [newId(), newId()];
    await write(filesOf(['shared.ts', 'secret.ts']), first);
    await write(filesOf(['shared.ts']), second);
    await db.database.asTenant(user.tenantId, (transaction) => forgetGraph(transaction, first, null));
    const left = await read({ projectId });
    expect(left.entities.map((entity) => [entity.label, entity.weight])).toEqual([
      ['shared.ts', 1],
      ['shop', 1],
    ]);
    expect(left.relations).toHaveLength(1);
  });

  test('one source leaves the others of its session unchanged', async () => {
    const [row, other, session] = [newId(), newId(), newId()];
    await write(filesOf(['a.ts'], [row, other]), session);
    await db.database.asTenant(user.tenantId, (transaction) => forgetGraph(transaction, session, [row]));
    expect((await read({ query: 'a.ts' })).entities[0]?.mentions).toMatchObject([{ sourceId: other }]);
  });

  test('removes the name from the glossary of the day', async () => {
    const session = newId();
    await write(filesOf(['secret.ts', 'other.ts']), session);
    const ask = () =>
      db.database.asTenant(user.tenantId, (transaction) =>
        projectGlossary(transaction, user.tenantId, { projectId, namespace: 'default' }, Date.now()),
      );
    expect(await ask()).toContain('secret.ts');
    await db.database.asTenant(user.tenantId, (transaction) => forgetGraph(transaction, session, null));
    expect(await ask()).toEqual([]);
  });
});

test('a graph moves to another project, joining what both name', async () => {
  const into = await db.createProject(user);
  await write(filesOf(['a.ts', 'b.ts']));
  await write(filesOf(['a.ts', 'c.ts']), newId(), into);
  await db.database.asTenant(user.tenantId, (transaction) => moveGraph(transaction, projectId, into));
  const moved = await read({ projectId: into });
  expect(moved.entities.map((entity) => entity.label).toSorted()).toEqual(['a.ts', 'b.ts', 'c.ts', 'shop']);
  expect(moved.entities.find((entity) => entity.label === 'a.ts')?.weight).toBe(2);
  expect(moved.relations.map((relation) => relation.weight).toSorted((a, b) => a - b)).toEqual([1, 1, 2]);
  expect((await read({ projectId })).entities).toEqual([]);
});

describe('the glossary', () => {
  const ask = (nowMs: number, namespace = 'default') =>
    db.database.asTenant(user.tenantId, (transaction) =>
      projectGlossary(transaction, user.tenantId, { projectId, namespace }, nowMs),
    );
  const noon = Date.parse('2026-05-01T12:00:00Z');

  test('is the same all day, whatever is learned meanwhile', async () => {
    await write(filesOf(['a.ts']));
    const morning = await ask(noon);
    expect(morning).toEqual(['a.ts']);
    await write(filesOf(['a.ts', 'b.ts']));
    expect(await ask(noon + 11 * 3_600_000)).toEqual(morning);
    expect(await ask(noon + DAY_MS)).toEqual(['a.ts', 'b.ts']);
  });

  test('contains the names of its own namespace', async () => {
    await write(filesOf(['a.ts']));
    await write(filesOf(['secret.ts']), newId(), projectId, 'aside');
    expect(await ask(noon)).toEqual(['a.ts']);
    expect(await ask(noon, 'aside')).toEqual(['secret.ts']);
    expect(await ask(noon, 'another')).toEqual([]);
  });

  test('is not fixed while there is nothing to name', async () => {
    expect(await ask(noon)).toEqual([]);
    await write(filesOf(['a.ts']));
    expect(await ask(noon + 60_000)).toEqual(['a.ts']);
  });

  test('is the same for concurrent callers', async () => {
    await write(filesOf(['a.ts', 'b.ts']));
    const answers = await Promise.all(Array.from({ length: 4 }, () => ask(noon)));
    expect(new Set(answers.map((names) => names.join())).size).toBe(1);
  });

  test('of no project is empty', async () => {
    expect(
      await db.database.asTenant(user.tenantId, (transaction) =>
        projectGlossary(transaction, user.tenantId, { projectId: null, namespace: 'default' }, noon),
      ),
    ).toEqual([]);
  });
});
