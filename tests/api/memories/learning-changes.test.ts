import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { learningSchema } from '../../../contract/learnings.ts';
import type { TestUser } from '../../setup/database.ts';
import { z } from 'zod';
import type { ApiAnswer } from '../../setup/instance.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { until } from '../../setup/until.ts';
import { given, idsOf } from '../support/learnings.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { expectError, bodyOf } from '../support/answers.ts';

const instance = fileInstance();
let otherAdmin: TestUser;

beforeAll(async () => {
  otherAdmin = await instance.user({ role: 'admin' });
  await captured(instance, smallSession('quoted'));
});

const change = (method: string, id: string, what: string, body: unknown, key = instance.admin.key) =>
  instance.call(method, `/learnings/${id}${what}`, { body, key });

const changed = (answer: ApiAnswer) => bodyOf(learningSchema, answer);

const pending = (id: string) => instance.count("embeddings WHERE resource_id = $1 AND state = 'pending'", [id]);
const toRemove = (id: string) => instance.count('embedding_removals WHERE resource_id = $1', [id]);

describe('a correction', () => {
  test('creates a new version with the evidence and the use of the old one, which is closed', async () => {
    const prompt = await instance.value<string>("SELECT id AS value FROM prompts WHERE content LIKE 'Please make%'");
    const old = await given(instance, 'The cache stores ten entries', {
      evidence: [{ row_id: prompt, quote: 'half even' }],
      context: 'Of the old cache',
      examples: ['ten'],
      confidence: 0.6,
    });
    await instance.write('UPDATE learnings SET use_count = 4, use_weight = 2.5, verified_at = now() WHERE id = $1', [
      old.id,
    ]);
    const now = changed(
      await change('PUT', old.hash, '', { description: 'The cache stores a hundred entries' }, otherAdmin.key),
    );
    // No word of the old text remains, and a correction is certain.
    expect(now).toMatchObject({
      title: '',
      description: 'The cache stores a hundred entries',
      context: '',
      examples: [],
      version: 2,
      previous_id: old.id,
      confidence: 1,
      use_count: 4,
      use_weight: 2.5,
      verified: false,
      evidence: old.evidence,
      valid_to: null,
    });
    const before = learningSchema.parse((await change('GET', old.id, '', undefined)).body);
    expect(before).toMatchObject({
      reason: 'corrected',
      superseded_by: now.id,
      closed_by: otherAdmin.userId,
      valid_to: now.valid_from,
    });
    expect(await toRemove(old.id)).toBe(1);
    expect(await pending(now.id)).toBe(1);
    const { body } = await instance.get(`/learnings/${now.id}`);
    expect(body).toMatchObject({
      versions: [
        { id: old.id, version: 1, reason: 'corrected' },
        { id: now.id, version: 2, reason: null },
      ],
    });
    expect(await idsOf(instance, 'q=The+cache+stores')).toEqual([now.id]);
    expect((await idsOf(instance, 'q=The+cache+stores&include_closed=true')).toSorted()).toEqual([old.id, now.id]);
  });

  test('of two at once: one is applied, the other gets the current version', async () => {
    const old = await given(instance, 'Two people correct this');
    // Both are on their way before either may begin.
    const holder = await instance.db.maintenance.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT FROM learnings WHERE id = $1 FOR UPDATE', [old.id]);
    const requests = [instance.admin.key, otherAdmin.key].map((key, n) =>
      change('PUT', old.id, '', { description: `Corrected by person ${n}` }, key),
    );
    await until(async () => {
      const waiting = await instance.count(
        "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      );
      return waiting === 2 ? true : undefined;
    });
    await holder.query('COMMIT');
    holder.release();
    const answers = await Promise.all(requests);
    expect(answers.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    const [made, refused] = answers.toSorted((a, b) => a.status - b.status);
    if (made === undefined || refused === undefined) throw new Error('there are two answers');
    expectError(refused, 'CONFLICT', 'id');
    const current = changed(made);
    expect(JSON.stringify(refused.body)).toContain(current.hash);
    expect(await instance.count('learnings WHERE previous_id = $1', [old.id])).toBe(1);
    // Later changes of the old version get the same response, through every version in between.
    const third = changed(await change('PUT', current.id, '', { title: 'Third' }));
    for (const [method, what, body] of [
      ['PUT', '', { title: 'X' }],
      ['POST', '/verify', {}],
      ['POST', '/invalidate', { reason: 'late' }],
    ] as const) {
      const answer = await change(method, old.id, what, body);
      expectError(answer, 'CONFLICT');
      expect(JSON.stringify(answer.body)).toContain(third.hash);
    }
  });

  test('into the words of another learning is rejected, and changes nothing', async () => {
    const other = await given(instance, 'Tests run in parallel');
    const old = await given(instance, 'Tests run one by one');
    const answer = await change('PUT', old.id, '', { description: 'tests run in PARALLEL' });
    expectError(answer, 'CONFLICT', 'description');
    expect(JSON.stringify(answer.body)).toContain(other.hash);
    expect((await change('GET', old.id, '', undefined)).body).toMatchObject({ valid_to: null, reason: null });
    expect(await toRemove(old.id)).toBe(0);
  });

  test('of the title alone may keep the words', async () => {
    const old = await given(instance, 'Only the title changes');
    expect(changed(await change('PUT', old.id, '', { title: 'Another title' }))).toMatchObject({
      title: 'Another title',
      description: 'Only the title changes',
      version: 2,
    });
  });

  test('of a memory that has no title needs none', async () => {
    const { body } = await instance.post('/memories', { content: `No user named this ${randomUUID()}` });
    const { hash } = z.object({ hash: z.string() }).parse(body);
    const memory = z.object({ id: z.string() }).parse((await instance.get(`/memories/${hash}`)).body);
    expect(changed(await change('PUT', memory.id, '', { tags: ['named'] }))).toMatchObject({
      title: '',
      tags: ['named'],
    });
  });

  test.each<[unknown, string]>([
    [{}, 'description'],
    [{ description: '' }, 'description'],
    [{ title: 'x'.repeat(201) }, 'title'],
    [{ examples: [''] }, 'examples.0'],
  ])('of %j is refused and names the field', async (body, field) => {
    const { id } = await given(instance, `Wrongly corrected ${randomUUID()}`);
    expectError(await change('PUT', id, '', body), 'VALIDATION_FAILED', field);
  });
});

describe('as of a time', () => {
  test('returns what was current then, at the exact bounds, too', async () => {
    const tag = `as-of-${randomUUID().slice(0, 8)}`;
    const first = await given(instance, 'The service listens on port 80', { tags: [tag] });
    const second = changed(await change('PUT', first.id, '', { description: 'The service listens on port 8080' }));
    await change('POST', second.id, '/invalidate', { reason: 'it was switched off' });
    // Half a year of beliefs: one until March, one until May, then none.
    const set = (id: string, from: string, to: string) =>
      instance.write('UPDATE learnings SET valid_from = $2, valid_to = $3 WHERE id = $1', [id, from, to]);
    await set(first.id, '2026-01-01T00:00:00Z', '2026-03-01T00:00:00Z');
    await set(second.id, '2026-03-01T00:00:00Z', '2026-05-01T00:00:00Z');
    const asOf = (time: string) => idsOf(instance, `tag=${tag}&as_of=${encodeURIComponent(time)}`);
    expect(await asOf('2025-12-31T23:59:59.999Z')).toEqual([]);
    expect(await asOf('2026-01-01T00:00:00Z')).toEqual([first.id]);
    expect(await asOf('2026-02-28T23:59:59.999Z')).toEqual([first.id]);
    expect(await asOf('2026-03-01T00:00:00Z')).toEqual([second.id]);
    expect(await asOf('2026-03-01T01:00:00+01:00')).toEqual([second.id]);
    expect(await asOf('2026-05-01T00:00:00Z')).toEqual([]);
    expect(await idsOf(instance, `tag=${tag}`)).toEqual([]);
    expect((await idsOf(instance, `tag=${tag}&include_closed=true`)).toSorted()).toEqual([first.id, second.id]);
  });
});
