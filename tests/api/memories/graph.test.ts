import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { graphSchema } from '../../../contract/graph.ts';
import type { graphEvidence } from '../../../contract/graph.ts';
import { newId } from '../../../domain/ids.ts';
import type { TestUser } from '../../setup/database.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { expectError, bodyOf } from '../support/answers.ts';

const FIRST = '2026-01-01T00:00:00.000Z';
const LAST = '2026-02-01T00:00:00.000Z';
const instance = fileInstance();
let stranger: TestUser;
let projectId: string;
/** A chain: file — error — solution — tool. */
let chain: string[];

async function entity(type: string, name: string, weight: number): Promise<string> {
  const id = newId();
  await instance.write(
    `INSERT INTO entities (id, tenant_id, project_id, type, name, label, weight, first_seen, last_seen) VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8)`,
    [id, instance.admin.tenantId, projectId, type, name, weight, FIRST, LAST],
  );
  return id;
}

async function relation(from: string, to: string, type: string): Promise<void> {
  const id = newId();
  await instance.write(
    'INSERT INTO relations (id, tenant_id, from_id, to_id, type, weight, first_seen, last_seen) VALUES ($1, $2, $3, $4, $5, 1, $6, $7)',
    [id, instance.admin.tenantId, from, to, type, FIRST, LAST],
  );
  await instance.write(
    `INSERT INTO relation_evidence (relation_id, session_id, source_id, source_type, tenant_id, quote, occurred_at) VALUES ($1, $2, $3, 'observation', $4, 'it broke', $5)`,
    [id, randomUUID(), randomUUID(), instance.admin.tenantId, LAST],
  );
}

beforeAll(async () => {
  stranger = await instance.stranger({ role: 'admin' });
  await captured(instance, smallSession('graphed').slice(0, 2));
  projectId = await instance.text("SELECT project_id AS value FROM sessions WHERE external_id = 'graphed'");
  chain = [
    await entity('file', 'src/money.ts', 4),
    await entity('error', 'typeerror', 3),
    await entity('solution', 'round half even', 2),
    await entity('tool', 'npm', 1),
  ];
  for (const [place, type] of ['causes', 'solves', 'uses'].entries())
    await relation(chain[place] ?? '', chain[place + 1] ?? '', type);
});

const graphOf = async (query: string, key = instance.admin.key) =>
  bodyOf(graphSchema, await instance.get(`/graph?${query}`, key));

const idsOf = async (query: string, key?: string) => (await graphOf(query, key)).nodes.map((node) => node.id);

describe('the graph', () => {
  test('has the same nodes and edges without evidence', async () => {
    const [full, bare] = [await graphOf(`node=${chain[0]}`), await graphOf(`node=${chain[0]}&evidence=false`)];
    expect(full.edges.some(({ evidence }) => evidence.length > 0)).toBe(true);
    const without = <Row extends object>(rows: readonly Row[]) => rows.map((row) => ({ ...row, evidence: [] }));
    expect(bare).toEqual({ nodes: without(full.nodes), edges: without(full.edges) });
  });

  test('around a node reaches to the requested depth', async () => {
    expect(await idsOf(`node=${chain[0]}`)).toEqual(chain.slice(0, 2));
    const { nodes, edges } = await graphOf(`node=${chain[0]}&depth=2`);
    expect(nodes.map((node) => [node.id, node.distance])).toEqual(chain.slice(0, 3).map((id, n) => [id, n]));
    expect(edges.map((edge) => edge.type).toSorted()).toEqual(['causes', 'solves']);
    expect(edges.find((edge) => edge.type === 'causes')).toMatchObject({
      from: chain[0],
      to: chain[1],
      weight: 1,
      first_seen: FIRST,
      last_seen: LAST,
      evidence: [{ quote: 'it broke', source_type: 'observation', occurred_at: LAST }],
    });
    expect(nodes[0]).toMatchObject({ type: 'file', name: 'src/money.ts', project_id: projectId, first_seen: FIRST });
  });

  test('around a text, of a project, of a type, within the limit', async () => {
    expect(await idsOf('q=HALF+even')).toEqual([chain[2], chain[1], chain[3]]);
    expect(await idsOf('q=nothing+like+it')).toEqual([]);
    expect(await idsOf('limit=2')).toEqual(chain.slice(0, 2));
    expect((await idsOf('project=/src/small')).length).toBe(4);
    expect(await idsOf('project=unknown')).toEqual([]);
    expect(await idsOf('namespace=aside')).toEqual([]);
    expect((await idsOf('type=tool'))[0]).toBe(chain[3]);
  });

  test('is of its own tenant alone', async () => {
    expect(await graphOf('', stranger.key)).toEqual({ nodes: [], edges: [] });
    expect(await graphOf('q=money', stranger.key)).toEqual({ nodes: [], edges: [] });
    const answer = await instance.get(`/graph?node=${chain[0]}`, stranger.key);
    expectError(answer, 'NOT_FOUND');
  });

  test('quotes sessions to their owner and admins alone, also by the evidence of summaries and learnings', async () => {
    const { tenantId } = instance.admin;
    const [owner, colleague] = [await instance.user(), await instance.user()];
    const viewer = await instance.user({ role: 'viewer' });
    await captured(instance, smallSession('private').slice(0, 2), owner.key);
    const session = await instance.value<string>("SELECT id AS value FROM sessions WHERE external_id = 'private'");
    const ends = [await entity('concept', 'private word', 0.5), await entity('concept', 'private other', 0.4)];
    await relation(ends[0] ?? '', ends[1] ?? '', 'related_to');
    const edge = await instance.value<string>(`SELECT id AS value FROM relations WHERE from_id = '${ends[0]}'`);
    for (const source of ['prompt', 'observation', 'summary', 'learning']) {
      for (const [table, column, id] of [
        ['entity_mentions', 'entity_id', ends[0]],
        ['relation_evidence', 'relation_id', edge],
      ])
        await instance.write(
          `INSERT INTO ${table} (${column}, session_id, source_id, source_type, tenant_id, quote, occurred_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
          [id, session, newId(), source, tenantId, `the ${source}`, LAST],
        );
    }
    const quotes = async (key: string) => {
      const { nodes, edges } = await graphOf(`node=${ends[0]}`, key);
      const quotesOf = (pieces: readonly z.output<typeof graphEvidence>[]) =>
        Object.fromEntries(
          pieces.filter((piece) => piece.session_id === session).map((piece) => [piece.source_type, piece.quote]),
        );
      expect(nodes.map((node) => node.name)).toEqual(['private word', 'private other']);
      return [quotesOf(nodes[0]?.evidence ?? []), quotesOf(edges[0]?.evidence ?? [])];
    };
    const all = {
      prompt: 'the prompt',
      observation: 'the observation',
      summary: 'the summary',
      learning: 'the learning',
    };
    const forAll = { prompt: null, observation: null, summary: null, learning: null };
    for (const who of [owner, instance.admin]) expect(await quotes(who.key)).toEqual([all, all]);
    for (const who of [colleague, viewer]) expect(await quotes(who.key)).toEqual([forAll, forAll]);
  });

  test('has no node under an unknown id', async () => {
    expectError(await instance.get(`/graph?node=${randomUUID()}`), 'NOT_FOUND');
  });
});
