import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { ConfigError, parseConfig } from '../../config/config.ts';
import { bootstrapTemporal } from '../../infra/bootstrap/temporal.ts';
import { QUEUES } from '../../workflows/registry.ts';
import { createTestDatabase } from '../setup/database.ts';
import type { TestDatabase } from '../setup/database.ts';
import { testEnvironment } from '../setup/instance.ts';
import { untilTrue } from '../setup/until.ts';
import { freePort, startWorkerProcess } from '../setup/worker-process.ts';
import type { ServiceProcess } from '../setup/worker-process.ts';

const TOKEN = 'a-token-for-scraping';
let db: TestDatabase;
let worker: ServiceProcess;
let environment: Record<string, string>;
let url: string;

beforeAll(async () => {
  const namespace = `metrics-${randomUUID()}`;
  await bootstrapTemporal({ address: inject('engines').temporal.address, namespace, operations: [] });
  db = await createTestDatabase();
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  environment = testEnvironment(db, namespace, {
    RECOLLECT_WORKER_QUEUES: 'session,sweeps',
    RECOLLECT_WORKER_METRICS_PORT: String(port),
    RECOLLECT_SCRAPE_TOKEN: TOKEN,
  });
  worker = await startWorkerProcess(environment);
});
afterAll(async () => {
  await worker.stop();
  await db.close();
});

function request(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${url}${path}`, { headers: { authorization: `Bearer ${TOKEN}` }, ...init });
}

describe('the listener of a worker', () => {
  test('serves the worker’s metrics and those of the SDK in one scrape', async () => {
    const connection = await Connection.connect({ address: inject('engines').temporal.address });
    try {
      const client = new Client({ connection, namespace: environment['RECOLLECT_TEMPORAL_NAMESPACE'] ?? '' });
      await client.workflow.execute('partitions', { workflowId: 'ops/partitions/test', taskQueue: QUEUES.session });
    } finally {
      await connection.close();
    }
    // The worker counts a completed workflow after the server has it.
    const completed = 'temporal_workflow_completed_total{';
    await untilTrue(async () => (await (await request('/metrics')).text()).includes(completed));
    const answer = await request('/metrics');
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ]);
    const text = await answer.text();
    for (const metric of [
      'recollect_build_info{process="worker",',
      'recollect_db_pool_connections{pool="maintenance",state="open"}',
      'recollect_session_searchable_seconds_bucket{le="60"} 0',
      'recollect_memory_limit_bytes ',
      'recollect_disk_free_bytes{volume="cache"} ',
      'process_resident_memory_bytes ',
      'temporal_worker_task_slots_available{',
      'temporal_workflow_task_schedule_to_start_latency_seconds_bucket{',
      'temporal_activity_schedule_to_start_latency_seconds_bucket{',
      'temporal_sticky_cache_size{',
      completed,
    ])
      expect(text).toContain(`\n${metric}`);
    expect(text).toMatch(/temporal_worker_task_slots_available\{[^}]*task_queue="sweeps"/);
    expect(text).not.toContain('ops/partitions/test');
  });

  test.each([
    ['without a token', {}],
    ['with another token', { authorization: 'Bearer a-token-for-guessing' }],
    ['with the token in another form', { authorization: TOKEN }],
    ['with a header of 7 KiB', { authorization: `Bearer ${'x'.repeat(7_000)}` }],
  ])('refuses a request %s', async (_what, headers) => {
    const answer = await fetch(`${url}/metrics`, { headers });
    expect(answer.status).toBe(401);
    expect(await answer.text()).not.toContain('recollect_build_info');
  });

  test('serves no other path and method, and no header above 8 KiB', async () => {
    expect((await request('/')).status).toBe(404);
    expect((await request('/metrics?x=1')).status).toBe(404);
    expect((await request('/metrics', { method: 'POST', body: 'x' })).status).toBe(405);
    expect((await fetch(`${url}/metrics`, { headers: { x: 'x'.repeat(9_000) } })).status).toBe(431);
  });
});

test('a worker with a listener stops cleanly', async () => {
  expect(await worker.stop()).toBe(0);
});

describe('settings of the listener', () => {
  test.each([
    ['without a token', { RECOLLECT_SCRAPE_TOKEN: undefined }, 'RECOLLECT_WORKER_METRICS_PORT'],
    ['beyond loopback without TLS', { RECOLLECT_WORKER_METRICS_HOST: '0.0.0.0' }, 'RECOLLECT_WORKER_METRICS_HOST'],
    ['with a port that does not exist', { RECOLLECT_WORKER_METRICS_PORT: '65536' }, 'RECOLLECT_WORKER_METRICS_PORT'],
    ['with an overlong host', { RECOLLECT_WORKER_METRICS_HOST: 'x'.repeat(256) }, 'RECOLLECT_WORKER_METRICS_HOST'],
  ])('are rejected %s', (_what, change, setting) => {
    const parse = () => parseConfig({ ...environment, ...change });
    expect(parse).toThrow(ConfigError);
    expect(parse).toThrow(setting);
  });

  test('are accepted beyond loopback with TLS, or if plain HTTP is allowed', () => {
    const open = { ...environment, RECOLLECT_WORKER_METRICS_HOST: '0.0.0.0' };
    expect(parseConfig({ ...open, RECOLLECT_ALLOW_PLAIN_HTTP: 'true' }).worker.metrics?.host).toBe('0.0.0.0');
    const tls = { RECOLLECT_TLS_CERT_FILE: '/c.pem', RECOLLECT_TLS_KEY_FILE: '/k.pem' };
    expect(parseConfig({ ...open, ...tls }).worker.metrics?.tls).toEqual({ certFile: '/c.pem', keyFile: '/k.pem' });
  });
});
