import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { contextAnswer } from '../../../contract/context.ts';
import { learningBatchItem, learningDetail, learningSchema } from '../../../contract/learnings.ts';
import type { TestUser } from '../../setup/database.ts';
import type { ApiAnswer } from '../../setup/instance.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { bodyOf, expectError } from '../support/answers.ts';
import { given, idsOf } from '../support/learnings.ts';

const instance = fileInstance();
let user: TestUser;

beforeAll(async () => {
  user = await instance.user();
  await captured(instance, smallSession('quoted'));
});

const change = (id: string, what: string, body: unknown, key = instance.admin.key) =>
  instance.call('POST', `/learnings/${id}/${what}`, { body, key });
const changed = (answer: ApiAnswer) => bodyOf(learningSchema, answer);
const detailOf = async (id: string) => bodyOf(learningDetail, await instance.get(`/learnings/${id}`));
const reopen = (id: string, key?: string) => change(id, 'reopen', { reason: 'it is true again' }, key);
const fresh = () => `A fact ${randomUUID()}`;
const set = (id: string, columns: string, values: readonly unknown[] = []) =>
  instance.write(`UPDATE learnings SET ${columns} WHERE id = $1`, [id, ...values]);
/** Closes a learning in favour of another one, as the worker does. */
const replaced = (id: string, by: string, reason: string) =>
  set(id, 'valid_to = now(), superseded_by = $2, reason = $3', [by, reason]);

describe('reopening', () => {
  test('creates a current version with words, evidence and use; the times of the closed one remain', async () => {
    const row_id = await instance.value<string>("SELECT id AS value FROM prompts WHERE content LIKE 'Please make%'");
    const tag = `t${randomUUID().slice(0, 8)}`;
    const evidence = [{ row_id, quote: 'half even' }];
    const old = await given(instance, 'Money rounds half even', { tags: [tag], confidence: 0.6, evidence });
    await change(old.id, 'invalidate', { reason: 'the library was removed' });
    await set(old.id, "valid_from = '2026-01-01', valid_to = '2026-03-01', use_count = 4");

    const next = changed(await reopen(old.id));
    expect(next).toMatchObject({
      version: 2,
      previous_id: old.id,
      description: old.description,
      confidence: expect.closeTo(0.6) as number,
      use_count: 4,
      valid_to: null,
      reason: null,
      reopen_reason: 'it is true again',
      verified: false,
    });
    expect(next.evidence).toEqual(old.evidence);
    expect(await instance.count("embeddings WHERE resource_id = $1 AND state = 'pending'", [next.id])).toBe(1);
    const asOf = (time: string) => idsOf(instance, `tag=${tag}&as_of=${time}`);
    expect(await asOf('2026-02-01T00:00:00Z')).toEqual([old.id]);
    expect(await asOf('2026-04-01T00:00:00Z')).toEqual([]);
    expect(await idsOf(instance, `tag=${tag}`)).toEqual([next.id]);
    const { versions } = await detailOf(next.id);
    expect(versions).toMatchObject([
      { id: old.id, reason: 'the library was removed', reopen_reason: null },
      { id: next.id, reason: null, reopen_reason: 'it is true again' },
    ]);
  });

  test('ends the note in contexts that it is not true any more', async () => {
    const project = await instance.text("SELECT project_id AS value FROM sessions WHERE external_id = 'quoted'");
    const words = 'Zirconium builds need two runners';
    const { id } = await given(instance, words, { project });
    const texts = async () => {
      const answer = await instance.post('/context', { purpose: 'session_start', project });
      return bodyOf(contextAnswer, answer)
        .text.split('\n')
        .filter((line) => line.includes(words));
    };
    await change(id, 'invalidate', { reason: 'one suffices' });
    expect(await texts()).toEqual([expect.stringContaining('not true any more (one suffices)')]);
    await reopen(id);
    expect(await texts()).toEqual([expect.not.stringContaining('not true any more')]);
  });

  test('is rejected for a current learning, another user’s and a deleted one', async () => {
    const { id } = await given(instance, fresh());
    expectError(await reopen(id), 'CONFLICT', 'id');
    expectError(await reopen(id, user.key), 'FORBIDDEN');
    await instance.call('DELETE', `/learnings/${id}`);
    expectError(await reopen(id), 'NOT_FOUND');
    for (const reason of ['', 'deleted', '<private>secret</private>', 'x'.repeat(501)])
      expectError(await change(id, 'reopen', { reason }), 'VALIDATION_FAILED', 'reason');
  });

  test('names the current learning that contradicts it, and works after that one is closed', async () => {
    const [old, between, current] = [
      await given(instance, fresh()),
      await given(instance, fresh()),
      await given(instance, fresh()),
    ];
    await replaced(old.id, between.id, 'contradicted');
    await replaced(between.id, current.id, 'duplicate');
    const answer = await reopen(old.id);
    expectError(answer, 'CONTRADICTED', 'id');
    expect(answer.body).toMatchObject({
      details: [{ id: current.id, type: 'learning', preview: current.description }],
    });
    await change(current.id, 'invalidate', { reason: 'wrong' });
    expect(changed(await reopen(old.id))).toMatchObject({ previous_id: old.id, user_id: instance.admin.userId });
  });

  test.each(['corrected', 'refined'])('names the later version of one that was %s', async (reason) => {
    const [old, current] = [await given(instance, fresh()), await given(instance, fresh())];
    await replaced(old.id, current.id, reason);
    await set(current.id, 'previous_id = $2', [old.id]);
    const answer = await reopen(old.id);
    expectError(answer, 'CONFLICT', 'id');
    expect(answer.body).toMatchObject({ details: [{ id: current.id, preview: current.description }] });
  });

  test('separates a duplicate again; later changes of the closed one name the new version', async () => {
    const [old, keeper] = [await given(instance, fresh()), await given(instance, fresh())];
    await replaced(old.id, keeper.id, 'duplicate');
    const next = changed(await reopen(old.id));
    const late = await change(old.id, 'invalidate', { reason: 'late' });
    expectError(late, 'CONFLICT', 'id');
    expect(late.body).toMatchObject({ details: [{ id: next.id, preview: old.description }] });
    expect(await detailOf(keeper.id)).toMatchObject({ valid_to: null });
  });

  test('is rejected if another learning has the words meanwhile, and for the second of two at once', async () => {
    const old = await given(instance, 'The words of two');
    await change(old.id, 'invalidate', { reason: 'over' });
    const twin = await given(instance, 'the words of TWO');
    const answer = await reopen(old.id);
    expectError(answer, 'CONFLICT', 'id');
    expect(answer.body).toMatchObject({ details: [{ id: twin.id }] });
    await change(twin.id, 'invalidate', { reason: 'over' });
    const answers = await Promise.all([reopen(old.id), reopen(old.id)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
  });
});

describe('the version that a caller read', () => {
  test('must be the newest for a change of the visibility', async () => {
    const old = await given(instance, fresh());
    const body = { visibility: 'private', version: 1 };
    const put = (id: string) => instance.call('PUT', `/learnings/${id}/visibility`, { body });
    const corrected = changed(
      await instance.call('PUT', `/learnings/${old.id}`, { body: { description: 'Other words' } }),
    );
    const answer = await put(old.id);
    expectError(answer, 'CONFLICT', 'id');
    expect(answer.body).toMatchObject({ details: [{ id: corrected.id, preview: 'Other words' }] });
    expect(await detailOf(corrected.id)).toMatchObject({ visibility: 'shared' });
  });
});

describe('many at once', () => {
  const answerOf = z.object({ items: z.array(learningBatchItem) });
  const batch = (body: unknown, key?: string) => instance.post('/learnings/batch', body, key);
  const items = async (body: unknown, key?: string) => bodyOf(answerOf, await batch(body, key)).items;

  test('are changed one by one; a rejected one affects no other', async () => {
    const [one, two, own] = [
      await given(instance, fresh()),
      await given(instance, fresh()),
      await given(instance, fresh(), {}, { key: user.key }),
    ];
    const ids = [one.id, randomUUID(), two.hash, one.id];
    const reason = 'no longer true';
    expect(await items({ action: 'invalidate', ids, reason })).toMatchObject([
      { index: 0, status: 'changed', id: one.id, hash: one.hash, code: null },
      { index: 1, status: 'rejected', id: null, code: 'NOT_FOUND' },
      { index: 2, status: 'changed', id: two.id },
      { index: 3, status: 'rejected', code: 'CONFLICT', details: [{ field: 'id' }] },
    ]);
    const [reopened] = await items({ action: 'reopen', ids: [one.id], reason: 'true again' });
    expect(await detailOf(reopened?.id ?? '')).toMatchObject({ version: 2, reopen_reason: 'true again' });
    expect(await items({ action: 'verify', ids: [reopened?.id], note: 'I checked' })).toMatchObject([
      { status: 'changed' },
    ]);
    expect(await detailOf(reopened?.id ?? '')).toMatchObject({ verified: true, verify_note: 'I checked' });

    const unverified = await items({ action: 'unverify', ids: [reopened?.id, randomUUID()] });
    expect(unverified).toMatchObject([{ status: 'changed', id: reopened?.id }, { code: 'NOT_FOUND' }]);
    expect(await detailOf(reopened?.id ?? '')).toMatchObject({ verified: false, verify_note: null, version: 2 });

    // By the rules of the single routes.
    for (const action of ['verify', 'unverify'])
      expect(await items({ action, ids: [own.id] }, user.key)).toMatchObject([{ code: 'FORBIDDEN' }]);
    expect(await items({ action: 'unshare', ids: [own.id, reopened?.id] }, user.key)).toMatchObject([
      { status: 'changed' },
      { code: 'FORBIDDEN' },
    ]);
    expect(await detailOf(own.id)).toMatchObject({ visibility: 'private' });
    expect(await items({ action: 'share', ids: [own.id] }, user.key)).toMatchObject([{ status: 'changed' }]);
  });

  test.each<[object, string]>([
    [{ action: 'verify', ids: [] }, 'ids'],
    [{ action: 'verify', ids: Array.from({ length: 101 }, () => randomUUID()) }, 'ids'],
    [{ action: 'unverify', ids: [] }, 'ids'],
    [{ action: 'invalidate', ids: [randomUUID()] }, 'reason'],
    [{ action: 'invalidate', ids: [randomUUID()], reason: 'deleted' }, 'reason'],
    [{ action: 'delete', ids: [randomUUID()] }, 'action'],
  ])('are refused as %j, with the field', async (body, field) => {
    expectError(await batch(body), 'VALIDATION_FAILED', field);
  });
});
