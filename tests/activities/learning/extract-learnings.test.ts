import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../../domain/ids.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { sessionOf } from '../../setup/demo-session.ts';
import { captured } from '../../setup/small-session.ts';
import { createClassroom, learningsOf } from './support/taught.ts';
import type { Classroom, StoredLearning } from './support/taught.ts';

const TABS = 'Always use tabs for indentation';
const NO_TABS = 'Never use tabs for indentation';
const MORE_TABS = 'Always use tabs for indentation, four columns wide, in generated templates and in snapshots as well';
const instance = fileInstance();
let classroom: Classroom;

beforeAll(async () => {
  classroom = await createClassroom(instance);
});
afterAll(async () => {
  await classroom.close();
});
afterEach(async () => {
  await instance.write('DELETE FROM learnings');
});

const all = () => learningsOf(instance);
const only = (rows: readonly StoredLearning[], description: string): StoredLearning => {
  const found = rows.filter((row) => row.description === description);
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} learnings say: ${description}`);
  return found[0];
};

describe('learnings of several sessions', () => {
  test('duplicates add evidence and confidence, in any wording', async () => {
    await classroom.teach('same-1', [{ description: TABS }]);
    await classroom.teach('same-2', [{ description: 'always use TABS, for indentation!' }]);
    expect(await all()).toMatchObject([
      { description: TABS, open: true, sessions: 2, confidence: expect.closeTo(0.7, 5) },
    ]);
  });

  test('a refinement becomes the next version and closes the old one', async () => {
    await classroom.teach('more-1', [{ description: TABS }]);
    await classroom.teach('more-2', [{ description: MORE_TABS }]);
    const rows = await all();
    const old = only(rows, TABS);
    expect(only(rows, MORE_TABS)).toMatchObject({ version: 2, previous_id: old.id, open: true, sessions: 1 });
    expect(old).toMatchObject({ open: false, reason: 'refined', superseded_by: only(rows, MORE_TABS).id });
    // The old words again are evidence for the current version.
    await classroom.teach('more-3', [{ description: TABS }]);
    expect(await all()).toHaveLength(2);
    expect(only(await all(), MORE_TABS).sessions).toBe(2);
  });

  test('a contradiction closes the known one, and can be closed by it again', async () => {
    await classroom.teach('not-1', [{ description: TABS }], { at: '2026-03-01T10:00:00Z' });
    await classroom.teach('not-2', [{ description: NO_TABS }], { at: '2026-03-02T10:00:00Z' });
    const second = await all();
    expect(only(second, TABS)).toMatchObject({
      open: false,
      reason: 'contradicted',
      superseded_by: only(second, NO_TABS).id,
    });
    expect(only(second, NO_TABS)).toMatchObject({ open: true, version: 1 });
    await classroom.teach('not-3', [{ description: TABS }], { at: '2026-03-03T10:00:00Z' });
    const third = await all();
    expect(third.map((row) => [row.description, row.open])).toEqual([
      [TABS, false],
      [NO_TABS, false],
      [TABS, true],
    ]);
  });

  test('a contradiction of an older session is stored as closed', async () => {
    await classroom.teach('late-1', [{ description: TABS }], { at: '2026-03-02T10:00:00Z' });
    await classroom.teach('late-2', [{ description: NO_TABS }], { at: '2026-03-01T10:00:00Z' });
    const rows = await all();
    expect(only(rows, TABS)).toMatchObject({ open: true });
    expect(only(rows, NO_TABS)).toMatchObject({ open: false, superseded_by: only(rows, TABS).id });
  });

  test('are not compared across projects', async () => {
    await classroom.teach('project-1', [{ description: TABS }]);
    await classroom.teach('project-2', [{ description: NO_TABS }], { project: '/src/another' });
    expect((await all()).map((row) => row.open)).toEqual([true, true]);
  });

  test('leave the vector index and its ledger once closed', async () => {
    await classroom.teach('leave-1', [{ description: TABS }]);
    await classroom.teach('leave-2', [{ description: NO_TABS }]);
    const rows = await instance.rows(
      `SELECT l.description, e.state FROM learnings l
         JOIN (SELECT resource_id, state FROM embeddings UNION ALL SELECT resource_id, 'to be removed' FROM embedding_removals) e ON e.resource_id = l.id ORDER BY l.id`,
    );
    expect(rows).toEqual([
      { description: TABS, state: 'to be removed' },
      { description: NO_TABS, state: 'pending' },
    ]);
  });
});

describe('a repeated extraction', () => {
  test('changes nothing, even if its learnings changed', async () => {
    const first = await classroom.teach('again-1', [{ description: TABS }]);
    const second = await classroom.teach('again-2', [
      { description: MORE_TABS },
      { description: 'The cache lives in redis' },
    ]);
    const before = await all();
    expect(await classroom.again(first, [{ description: TABS }])).toBe(0);
    expect(
      await classroom.again(second, [{ description: MORE_TABS }, { description: 'The cache lives in redis' }]),
    ).toBe(0);
    expect(await all()).toEqual(before);
  });

  test('in other words adds no confidence', async () => {
    const id = await classroom.teach('words-1', [{ description: 'The deploy needs the registry token in CI_TOKEN' }]);
    const before = await all();
    await classroom.again(id, [{ description: 'The deploy needs the registry token in `CI_TOKEN`.' }]);
    expect(await all()).toEqual(before);
  });

  test('learns a statement repeated in one session once', async () => {
    await classroom.teach('twice-1', [{ description: TABS }, { description: 'Always use TABS for indentation.' }]);
    expect(await all()).toHaveLength(1);
  });
});

describe('people', () => {
  const verify = () =>
    instance.write('UPDATE learnings SET verified_at = now(), verified_by = $1', [instance.admin.userId]);

  test('dispute a verified learning instead of closing it', async () => {
    await classroom.teach('verified-1', [{ description: TABS }]);
    await verify();
    await classroom.teach('verified-2', [{ description: NO_TABS, confidence: 0.9 }]);
    const rows = await all();
    expect(only(rows, TABS)).toMatchObject({ open: true });
    expect(only(rows, NO_TABS)).toMatchObject({
      open: true,
      disputes: only(rows, TABS).id,
      reason: 'disputes a verified learning',
      confidence: expect.closeTo(0.3, 5),
    });
  });

  test('do not learn an invalidated learning again from the same words', async () => {
    await classroom.teach('wrong-1', [{ description: TABS }]);
    await instance.write("UPDATE learnings SET valid_to = now(), reason = 'wrong', closed_by = $1", [
      instance.admin.userId,
    ]);
    await classroom.teach('wrong-2', [{ description: 'Always use tabs for indentation!' }]);
    expect(await all()).toMatchObject([{ open: false, reason: 'wrong', sessions: 1 }]);
  });
});

describe('relations to known learnings proposed by a model', () => {
  test('are accepted if plausible, from the learnings in its request', async () => {
    await classroom.teach('known-1', [{ description: TABS }]);
    const [known] = await all();
    const description = 'Tabs for indentation are four columns wide';
    const relation = { kind: 'refines', knownId: known?.id ?? '' } as const;
    await classroom.teach('known-2', [{ description, relation }]);
    expect(classroom.given.at(-1)?.known).toMatchObject([{ id: known?.id, description: TABS }]);
    expect(only(await all(), description)).toMatchObject({ version: 2, previous_id: known?.id });
  });

  test('cannot close a learning about something else', async () => {
    await classroom.teach('liar-1', [{ description: TABS }]);
    const [known] = await all();
    const relation = { kind: 'contradicts', knownId: known?.id ?? '' } as const;
    await classroom.teach('liar-2', [{ description: 'The cache of the payment service lives in redis', relation }]);
    expect((await all()).map((row) => row.open)).toEqual([true, true]);
  });
});

test('dates a learning by a row that only a key point quotes', async () => {
  const base = { host: 'test', session_id: 'dated', project: { path: '/src/taught' } };
  const output = 'The cache answers on port 6380';
  await captured(instance, [
    { ...base, type: 'prompt', content: 'Where is the cache?', key: 'dated-1', occurred_at: '2026-03-01T10:00:00Z' },
    {
      ...base,
      type: 'observation',
      tool: { name: 'Bash', input: { command: 'cat cache.conf' }, response: output, use_id: 'dated-2' },
      occurred_at: '2026-03-01T10:05:00Z',
    },
    { ...base, type: 'prompt', content: 'Thank you', key: 'dated-3', occurred_at: '2026-03-01T10:10:00Z' },
  ]);
  const { id } = await sessionOf(instance, 'test:dated');
  const rows = await instance.rows<{ id: string }>('SELECT id FROM observations WHERE session_id = $1', [id]);
  const evidence = [{ rowId: rows[0]?.id ?? '', quote: output }];
  await instance.write(
    `INSERT INTO summaries (id, tenant_id, session_id, user_id, slot, type, title, content, key_points, model, input_tokens, output_tokens, cost_usd, from_seq, to_seq, occurred_at)
     VALUES ($1, $2, $3, $4, 'topic:1', 'topic', 'The cache', '', $5, 'm', 0, 0, 0, 1, 3, '2026-03-01T10:10:00Z')`,
    [newId(), instance.admin.tenantId, id, instance.admin.userId, JSON.stringify([{ text: output, evidence }])],
  );
  await classroom.again(id, [{ description: 'The cache of the shop answers on port 6380', evidence }]);
  const dated = await instance.rows<{ occurred_at: Date }>('SELECT occurred_at FROM learnings');
  expect(dated.map((row) => row.occurred_at.toISOString())).toEqual(['2026-03-01T10:05:00.000Z']);
  // The topic contains it: a second copy in the request would be paid for twice.
  expect(classroom.given.at(-1)?.rows.map((row) => row.content)).not.toContain(output);
});

test('rejects a quote that is not found', async () => {
  const evidence = [{ rowId: '018f0000-0000-7000-8000-00000000000c', quote: 'never written' }];
  await classroom.teach('quote-1', [{ description: TABS, evidence }]);
  expect(await all()).toEqual([]);
});

test(
  'sessions that end together do not double what all of them teach, each in other words',
  { timeout: 240_000 },
  async () => {
    // Stop words change the fingerprint: only the comparison merges these, so that it must not run while another one writes.
    const descriptions = ['', 'the ', 'your ', 'all of the ', 'just the ', 'most of the '].map(
      (words) => `Always use tabs for ${words}indentation`,
    );
    const teach = (description: string, n: number) => classroom.teach(`together-${n}`, [{ description }]);
    const outcomes = await Promise.allSettled(descriptions.map(teach));
    // One that lost the race three times is done again by its workflow.
    for (const [n, outcome] of outcomes.entries())
      if (outcome.status === 'rejected')
        await classroom.teach(`together-${n}-again`, [{ description: descriptions[n] ?? '' }]);
    expect(await all()).toMatchObject([{ open: true, sessions: descriptions.length }]);
  },
);

describe.each([
  ['the embedder', { embedder: true }],
  ['the vector index', { vectors: true }],
  ['both', { embedder: true, vectors: true }],
])('while %s is unavailable', (name, unavailable) => {
  test('compares words, and learning continues', { timeout: 240_000 }, async () => {
    const degraded = await createClassroom(instance, unavailable);
    try {
      await degraded.teach(`${name}-1`, [{ description: TABS }]);
      await degraded.teach(`${name}-2`, [{ description: TABS.toLowerCase() }]);
      await degraded.teach(`${name}-3`, [{ description: NO_TABS }]);
      const rows = await all();
      expect(rows).toHaveLength(2);
      expect(only(rows, TABS)).toMatchObject({ open: false, sessions: 2, reason: 'contradicted' });
    } finally {
      await degraded.close();
    }
  });
});
