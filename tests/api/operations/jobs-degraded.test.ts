import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gdprRequestSchema } from '../../../contract/gdpr.ts';
import { jobsAnswer } from '../../../contract/jobs.ts';
import { startTestInstance } from '../../setup/instance.ts';
import type { TestInstance } from '../../setup/instance.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { closedPort } from '../support/closed-port.ts';
import { expectError } from '../support/answers.ts';

describe('without Temporal', { timeout: 240_000 }, () => {
  let apart: TestInstance;

  beforeAll(async () => {
    apart = await startTestInstance({ RECOLLECT_TEMPORAL_ADDRESS: `127.0.0.1:${await closedPort()}` });
    await captured(apart, smallSession('alone'));
    await apart.write("UPDATE sessions SET last_event_at = now() - interval '1 hour'");
  });
  afterAll(() => apart.close());

  test('sessions are listed from the database, and reported as degraded; changes are rejected with a code of their own', async () => {
    const answer = jobsAnswer.parse((await apart.get('/jobs')).body);
    expect(answer.degraded).toEqual(['temporal']);
    expect(answer.data).toHaveLength(1);
    expect(answer.data[0]).toMatchObject({
      state: 'stuck',
      session: { external_id: 'alone' },
      stuck: { reason: 'events_unconsumed' },
    });
    expect(jobsAnswer.parse((await apart.get('/jobs?state=stuck')).body).data).toHaveLength(1);
    expect(jobsAnswer.parse((await apart.get('/jobs?kind=index')).body).data).toEqual([]);
    const id = answer.data[0]?.session?.id ?? '';
    expect((await apart.get(`/jobs/session.${id}`)).body).toMatchObject({
      degraded: ['temporal'],
      job: { state: 'stuck' },
    });
    for (const path of [
      `/sessions/${id}/close`,
      `/sessions/${id}/summaries`,
      `/jobs/session.${id}/retry`,
      `/jobs/session.${id}/cancel`,
    ])
      expectError(await apart.post(path), 'TEMPORAL_UNAVAILABLE');
    expect((await apart.put(`/sessions/${id}`, { capture: false })).body).toMatchObject({ capture: false });
  });

  test('an approved erasure of a text is decided, though its workflow starts later', async () => {
    const user = await apart.user();
    const waiting = await apart.post('/gdpr/erase', { kind: 'text', text: 'the exact words' }, user.key);
    const { id } = gdprRequestSchema.parse(waiting.body);
    const decided = await apart.post(`/gdpr/requests/${id}/decide`, { decision: 'approve' });
    expect(decided).toMatchObject({ status: 200, body: { id, state: 'running' } });
    expect(await apart.rows('SELECT state FROM erasures WHERE id = $1', [id])).toEqual([{ state: 'running' }]);
  });

  test('a repeated request of a consistency check is one check, which starts later', async () => {
    for (let tries = 0; tries < 2; tries += 1)
      expectError(await apart.post('/admin/consistency', {}), 'TEMPORAL_UNAVAILABLE');
    expect(await apart.rows('SELECT state FROM consistency_checks')).toEqual([{ state: 'running' }]);
  });

  test('a list that Temporal started cannot be continued', async () => {
    expectError(await apart.get('/jobs?cursor=bm90aGluZw'), 'TEMPORAL_UNAVAILABLE');
    const { data, pagination } = jobsAnswer.parse((await apart.get('/jobs?limit=1')).body);
    expect([data.length, pagination.next_cursor]).toEqual([1, null]);
  });
});
