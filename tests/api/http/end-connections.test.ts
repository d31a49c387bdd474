import { Agent, request } from 'node:http';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { fileInstance } from '../../setup/file-instance.ts';
import { until } from '../../setup/until.ts';
import { startSecondApi } from '../support/second-api.ts';

const instance = fileInstance();
const WAITING = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";

test('a stop ends the connection of a running request after its response', async () => {
  const server = await startSecondApi(instance);
  const agent = new Agent({ keepAlive: true });
  const lock = await instance.db.owner.connect();
  await lock.query('BEGIN; LOCK TABLE sessions');
  const headers = { authorization: `Bearer ${instance.admin.key}` };
  const responses = once(request(`${server.url}/api/v1/sessions`, { agent, headers }).end(), 'response');
  await until(async () => ((await instance.rows(WAITING)).length > 0 ? true : undefined));
  const began = performance.now();
  const closed = server.close();
  await lock.query('ROLLBACK');
  lock.release();
  const [response] = await responses;
  expect(response.statusCode).toBe(200);
  expect(JSON.parse(Buffer.concat(await response.toArray()).toString())).toMatchObject({ data: [] });
  await closed;
  // Node would wait a minute for it.
  expect(performance.now() - began).toBeLessThan(30_000);
  agent.destroy();
});
