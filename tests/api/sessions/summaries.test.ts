import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { cursorPageOf } from '../../../contract/shared.ts';
import { summarySchema } from '../../../contract/sessions.ts';
import { newId } from '../../../domain/ids.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { expectError, bodyOf, inTime, waitedSummary } from '../support/answers.ts';

const WRITTEN = '/sessions/test:written/summaries';
const instance = fileInstance();
let sessionId: string;
/** In the order of the list. */
let expected: string[];

async function written(type: string, slot: string, more: { kind?: string; version?: number; fromSeq?: number } = {}) {
  const id = newId();
  await instance.write(
    `INSERT INTO summaries (id, tenant_id, session_id, user_id, slot, type, kind, version, title, content, model, input_tokens, output_tokens, cost_usd, from_seq, to_seq, occurred_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'A title', 'What was done', 'test', 10, 2, 0.5, $9, 9, now())`,
    [
      id,
      instance.admin.tenantId,
      sessionId,
      instance.admin.userId,
      slot,
      type,
      more.kind ?? null,
      more.version ?? 1,
      more.fromSeq ?? 1,
    ],
  );
  return id;
}

beforeAll(async () => {
  await captured(instance, smallSession('written'));
  sessionId = await instance.text("SELECT id AS value FROM sessions WHERE external_id = 'written'");
  const topic2 = await written('topic', 'topic:2', { fromSeq: 5 });
  const topic1 = await written('topic', 'topic:1');
  const bugfix = await written('item', 'item:1:0', { kind: 'bugfix' });
  const decision = await written('item', 'item:1:1', { kind: 'decision' });
  const first = await written('session', 'session:5');
  const second = await written('session', 'session:9', { version: 2 });
  expected = [second, first, topic1, bugfix, decision, topic2];
});

const listed = async (query = '') => bodyOf(cursorPageOf(summarySchema), await instance.get(`${WRITTEN}?${query}`));

const idsOf = async (query = '') => (await listed(query)).data.map((summary) => summary.id);

describe('what was written of a session', () => {
  test('is its own summary, the newest version first, then topics and items in order', async () => {
    expect(await idsOf()).toEqual(expected);
    expect((await listed()).pagination).toMatchObject({ total: 6, has_next: false, next_cursor: null });
  });

  test.each([1, 2, 4])('is paged by cursor and by page alike, %i at a time', async (limit) => {
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await listed(`limit=${limit}${cursor === '' ? '' : `&cursor=${cursor}`}`);
      expect(page.pagination.total).toBe(cursor === '' ? 6 : null);
      seen.push(...page.data.map((summary) => summary.id));
      cursor = page.pagination.next_cursor;
    }
    expect(seen).toEqual(expected);
    expect(await idsOf(`limit=${limit}&page=2`)).toEqual(expected.slice(limit, limit * 2));
  });

  test('is filtered by type and by kind', async () => {
    expect(await idsOf('type=topic')).toEqual([expected[2], expected[5]]);
    expect(await idsOf('type=session&limit=1')).toEqual([expected[0]]);
    expect(await idsOf('kind=decision')).toEqual([expected[4]]);
    expect((await listed('type=item&limit=1')).pagination).toMatchObject({ total: 2, has_next: true });
    expect(await idsOf('type=action')).toEqual([]);
  });

  test.each<[string, string]>([
    ['type=odd', 'type'],
    ['kind=', 'kind'],
    ['limit=101', 'limit'],
    ['cursor=odd', 'cursor'],
    [`cursor=${Buffer.from('["summaries",{"group":"x"}]').toString('base64url')}`, 'cursor'],
    [`cursor=${Buffer.from('["learnings.recency",{"value":0,"id":"x"}]').toString('base64url')}`, 'cursor'],
  ])('refuses %s and names the field', async (query, field) => {
    expectError(await instance.get(`${WRITTEN}?${query}`), 'VALIDATION_FAILED', field);
  });
});

describe('one of it', () => {
  const one = (id: string, key = instance.admin.key) => instance.get(`/summaries/${id}`, key);

  test('is shown by its id, in its own tenant alone', async () => {
    const id = expected[4] ?? '';
    expect(await one(id)).toMatchObject({
      status: 200,
      body: { id, session_id: sessionId, kind: 'decision', cost_usd: 0.5 },
    });
    const colleague = await instance.user({ role: 'viewer' });
    expect((await one(id, colleague.key)).status).toBe(200);
    const stranger = await instance.stranger({ role: 'admin' });
    expectError(await one(id, stranger.key), 'NOT_FOUND');
    expectError(await one(randomUUID()), 'NOT_FOUND');
    expectError(await one('odd'), 'VALIDATION_FAILED', 'id');
  });

  test('that a context served counts its fetch once, as a row alone', async () => {
    await instance.write(
      'UPDATE summaries SET project_id = (SELECT project_id FROM sessions WHERE id = $1) WHERE session_id = $1',
      [sessionId],
    );
    const answer = await instance.post('/context', { purpose: 'session_start', project: '/src/small' });
    const context = z.object({ id: z.string(), items: z.array(z.object({ id: z.string() })) }).parse(answer.body);
    const id = context.items[0]?.id ?? '';
    for (let n = 0; n < 2; n += 1)
      expect((await instance.get(`/summaries/${id}?used_in=${context.id}`)).status).toBe(200);
    const rows = await instance.rows(
      'SELECT resource_id, resource_type, kind, weight FROM memory_uses WHERE context_id = $1',
      [context.id],
    );
    expect(rows).toEqual([{ resource_id: id, resource_type: 'summary', kind: 'fetched', weight: 1 }]);
  });

  test('of a session that was deleted is not there', async () => {
    await instance.write("UPDATE sessions SET status = 'deleted' WHERE id = $1", [sessionId]);
    expectError(await one(expected[0] ?? ''), 'NOT_FOUND');
    expectError(await instance.get(WRITTEN), 'NOT_FOUND');
    await instance.write("UPDATE sessions SET status = 'ended' WHERE id = $1", [sessionId]);
  });
});

describe('a summary on request', { timeout: 240_000 }, () => {
  test('is the answer once it is done; else the job is', async () => {
    const stop = await instance.startWorker();
    await captured(instance, smallSession('requested').slice(0, -1));
    const answer = await waitedSummary(instance, 'test:requested');
    expect([answer.status, answer.body]).toEqual([200, expect.objectContaining({ done: true })]);
    const { summary_id: id, summary } = z
      .looseObject({ summary_id: z.string(), summary: z.looseObject({ id: z.string() }) })
      .parse(answer.body);
    expect(summary).toMatchObject({ id, type: 'session', version: 1, published: true });
    expect((await instance.get(`/summaries/${id}`)).body).toEqual(summary);
    const accepted = await inTime(() => instance.post('/sessions/test:requested/summaries'));
    expect(accepted).toMatchObject({ status: 202, body: { done: false, summary: null, job: { kind: 'session' } } });
    await stop();
  });
});
