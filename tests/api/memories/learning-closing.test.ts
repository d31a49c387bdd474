import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { learningSchema } from '../../../contract/learnings.ts';
import { searchAnswer } from '../../../contract/search.ts';
import type { TestUser } from '../../setup/database.ts';
import type { ApiAnswer } from '../../setup/instance.ts';
import { until, untilTrue } from '../../setup/until.ts';
import { expectError, bodyOf } from '../support/answers.ts';
import { given, idsOf } from '../support/learnings.ts';
import { fileInstance } from '../../setup/file-instance.ts';

const instance = fileInstance();
let otherAdmin: TestUser;

beforeAll(async () => {
  otherAdmin = await instance.user({ role: 'admin' });
});

const change = (method: string, id: string, what: string, body: unknown, key = instance.admin.key) =>
  instance.call(method, `/learnings/${id}${what}`, { body, key });

const changed = (answer: ApiAnswer) => bodyOf(learningSchema, answer);

const toRemove = (id: string) => instance.count('embedding_removals WHERE resource_id = $1', [id]);

describe('people say', () => {
  test('that a learning is true', async () => {
    const { id } = await given(instance, 'Verified fact');
    expect(changed(await change('POST', id, '/verify', { note: 'I looked' }, otherAdmin.key))).toMatchObject({
      id,
      verified: true,
      verified_by: otherAdmin.userId,
      verify_note: 'I looked',
      valid_to: null,
    });
    expectError(await change('POST', id, '/verify', { note: 'x'.repeat(501) }), 'VALIDATION_FAILED', 'note');
  });

  test('that it does not hold any more, and why', async () => {
    const { id } = await given(instance, 'A fact that ends');
    expectError(await change('POST', id, '/invalidate', {}), 'VALIDATION_FAILED', 'reason');
    expectError(await change('POST', id, '/invalidate', { reason: 'deleted' }), 'VALIDATION_FAILED', 'reason');
    expect(changed(await change('POST', id, '/invalidate', { reason: 'the service was removed' }))).toMatchObject({
      reason: 'the service was removed',
      closed_by: instance.admin.userId,
      superseded_by: null,
    });
    const again = await change('POST', id, '/invalidate', { reason: 'once more' });
    expectError(again, 'CONFLICT', 'id');
    // The same words may be given by hand again.
    expect((await given(instance, 'A fact that ends')).id).not.toBe(id);
  });

  test('with a replacement, known or new', async () => {
    const [one, two] = [await given(instance, 'Superseded one'), await given(instance, 'Superseding two')];
    expect(changed(await change('POST', one.id, '/supersede', { by: two.id, reason: 'two is right' }))).toMatchObject({
      id: two.id,
      version: 1,
    });
    expect((await change('GET', one.id, '', undefined)).body).toMatchObject({
      superseded_by: two.id,
      reason: 'two is right',
    });
    const by = { title: 'Three', description: 'Superseding three', tags: ['new'] };
    const three = changed(await change('POST', two.id, '/supersede', { by, reason: 'three is newer' }));
    expect(three).toMatchObject({ version: 2, previous_id: two.id, tags: ['new'], origin: 'user' });
    expect((await change('GET', two.id, '', undefined)).body).toMatchObject({
      superseded_by: three.id,
      valid_to: three.valid_from,
    });
  });

  test('and are rejected where that is impossible', async () => {
    const { id } = await given(instance, 'Badly superseded');
    const other = await given(instance, 'Known already by this one');
    const closed = await given(instance, 'Closed before');
    await change('POST', closed.id, '/invalidate', { reason: 'over' });
    const foreign = await instance.stranger();
    const foreignLearning = await given(instance, 'Of another tenant', {}, { key: foreign.key });
    const supersede = (by: unknown) => change('POST', id, '/supersede', { by, reason: 'r' });
    for (const by of [id, closed.id, foreignLearning.id, randomUUID(), 'odd', {}])
      expectError(await supersede(by), 'VALIDATION_FAILED', 'by');
    const evidence = [{ row_id: randomUUID(), quote: 'q' }];
    expectError(
      await supersede({ title: 'T', description: 'D', evidence }),
      'VALIDATION_FAILED',
      'by.evidence.0.row_id',
    );
    expectError(await supersede({ title: 'T', description: other.description }), 'CONFLICT', 'by.description');
    expect((await change('GET', id, '', undefined)).body).toMatchObject({ valid_to: null, reason: null });
  });

  test('two that are put in each other’s place at once do not wait for each other for ever', async () => {
    const [one, two] = [await given(instance, 'Crossed one'), await given(instance, 'Crossed two')];
    const answers = await Promise.all([
      change('POST', one.id, '/supersede', { by: two.id, reason: 'r' }),
      change('POST', two.id, '/supersede', { by: one.id, reason: 'r' }),
    ]);
    expect(answers.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([200, 422]);
    expect(await instance.count('learnings WHERE id = ANY ($1) AND valid_to IS NULL', [[one.id, two.id]])).toBe(1);
  });
});

describe('deleting', () => {
  test('hides a learning and the versions that it replaced from everything; the rows stay', async () => {
    const first = await given(instance, 'The password policy of zirconium');
    const second = changed(await change('PUT', first.id, '', { description: 'The passphrase policy of zirconium' }));
    expect((await change('DELETE', second.id, '', undefined, otherAdmin.key)).body).toEqual({
      id: second.id,
      deleted: 2,
    });
    for (const { id } of [first, second]) {
      expectError(await change('GET', id, '', undefined), 'NOT_FOUND');
      expectError(await change('DELETE', id, '', undefined), 'NOT_FOUND');
      expectError(await change('PUT', id, '', { title: 'Back' }), 'NOT_FOUND');
      expect(await toRemove(id)).toBe(1);
    }
    const now = encodeURIComponent(new Date().toISOString());
    for (const query of [
      '',
      '&include_closed=true',
      `&as_of=${now}`,
      `&as_of=${encodeURIComponent(second.valid_from)}`,
    ])
      expect(await idsOf(instance, `q=zirconium${query}`)).toEqual([]);
    expect(
      await instance.count("learnings WHERE id = ANY ($1) AND reason = 'deleted' AND closed_by = $2", [
        [first.id, second.id],
        otherAdmin.userId,
      ]),
    ).toBe(2);
  });

  test('and every other change leaves search at once, and the vector index soon', async () => {
    const stop = await instance.startWorker();
    const found = async () => {
      const answer = await instance.get('/search?q=hafnium+alloy&type=learning');
      const { data } = searchAnswer.parse(answer.body);
      return data.filter((memory) => memory.content.includes('hafnium')).map((memory) => memory.id);
    };
    const [unchanged, corrected, invalidated, deleted] = [
      await given(instance, 'A hafnium alloy that is unchanged'),
      await given(instance, 'A hafnium alloy that is corrected'),
      await given(instance, 'A hafnium alloy that is invalidated'),
      await given(instance, 'A hafnium alloy that is deleted'),
    ];
    await untilTrue(async () => (await found()).length === 4, 120_000, 'four learnings to be found');
    const now = changed(await change('PUT', corrected.id, '', { description: 'A hafnium alloy in other words' }));
    await change('POST', invalidated.id, '/invalidate', { reason: 'over' });
    await change('DELETE', deleted.id, '', undefined);
    expect((await found()).filter((id) => id !== now.id)).toEqual([unchanged.id]);
    await untilTrue(async () => (await found()).includes(now.id), 120_000, 'the new version to be found');
    await until(
      async () => {
        const left = await instance.count('embedding_removals WHERE resource_id = ANY ($1)', [
          [corrected.id, invalidated.id, deleted.id],
        ]);
        return left === 0 ? true : undefined;
      },
      120_000,
      'the vectors of closed learnings to be removed',
    );
    await stop();
  });
});
