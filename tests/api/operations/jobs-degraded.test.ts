import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestInstance } from '../../setup/instance.ts';
import type { TestInstance } from '../../setup/instance.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { errorOf } from '../support/answers.ts';
import { closedPort } from '../support/closed-port.ts';
import { jobListAnswer } from '../support/jobs.ts';

describe('without Temporal', { timeout: 240_000 }, () => {
  let apart: TestInstance;

  beforeAll(async () => {
    apart = await startTestInstance({ RECOLLECT_TEMPORAL_ADDRESS: `127.0.0.1:${await closedPort()}` });
    await captured(apart, smallSession('alone'));
    await apart.db.superuser.query("UPDATE sessions SET last_event_at = now() - interval '1 hour'");
  });
  afterAll(() => apart.close());

  test('sessions are listed from the database, and reported as degraded; changes are rejected with a code of their own', async () => {
    const answer = jobListAnswer.parse((await apart.call('GET', '/jobs')).body);
    expect(answer.degraded).toEqual(['temporal']);
    expect(answer.data).toHaveLength(1);
    expect(answer.data[0]).toMatchObject({
      state: 'stuck',
      session: { external_id: 'alone' },
      stuck: { reason: 'events_unconsumed' },
    });
    expect(jobListAnswer.parse((await apart.call('GET', '/jobs?state=stuck')).body).data).toHaveLength(1);
    expect(jobListAnswer.parse((await apart.call('GET', '/jobs?kind=index')).body).data).toEqual([]);
    const id = answer.data[0]?.session?.id ?? '';
    expect((await apart.call('GET', `/jobs/session.${id}`)).body).toMatchObject({
      degraded: ['temporal'],
      job: { state: 'stuck' },
    });
    for (const path of [
      `/sessions/${id}/close`,
      `/sessions/${id}/summaries`,
      `/jobs/session.${id}/retry`,
      `/jobs/session.${id}/cancel`,
    ])
      expect(errorOf(await apart.call('POST', path))).toMatchObject({ code: 'TEMPORAL_UNAVAILABLE' });
    expect((await apart.call('PUT', `/sessions/${id}`, { body: { capture: false } })).body).toMatchObject({
      capture: false,
    });
  });

  test('a list that Temporal started cannot be continued', async () => {
    expect(errorOf(await apart.call('GET', '/jobs?cursor=bm90aGluZw'))).toMatchObject({ code: 'TEMPORAL_UNAVAILABLE' });
    const { data, pagination } = jobListAnswer.parse((await apart.call('GET', '/jobs?limit=1')).body);
    expect([data.length, pagination.next_cursor]).toEqual([1, null]);
  });
});
