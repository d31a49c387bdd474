import { status } from '@grpc/grpc-js';
import type { Client } from '@temporalio/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newId } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import { createTemporalClient } from '../../../stores/temporal/client.ts';
import { createWorkflowHints } from '../../../stores/temporal/hints.ts';
import { createRunningWorkflows } from '../../../stores/temporal/running-workflows.ts';
import { createSchedules } from '../../../stores/temporal/schedules.ts';
import { createSessionSteering } from '../../../stores/temporal/session-steering.ts';
import { createStartJob } from '../../../stores/temporal/start-workflow.ts';
import { TemporalUnavailable } from '../../../stores/temporal/unavailable.ts';
import { startTemporalFrontend } from '../../setup/temporal-frontend.ts';
import type { TemporalFrontend } from '../../setup/temporal-frontend.ts';

const METHODS = [
  'StartWorkflowExecution',
  'SignalWithStartWorkflowExecution',
  'TerminateWorkflowExecution',
  'PatchSchedule',
] as const;
const POLICY = { windowTokens: 1, turnTokens: 1, quietMs: 1, maxAgeMs: 1, idleMs: 1, retryMs: 1 };
const BATCH = { gatherMs: 1, pollMs: 1, retryMs: 1 };
const tenantId = newId<TenantId>();

let server: TemporalFrontend;
let address: string;
let calls: number;
/** So many calls fail with UNAVAILABLE, the others return an empty message. */
let failures: number;
const clients: Client[] = [];

beforeEach(async () => {
  calls = 0;
  failures = 1;
  const methods = METHODS.map((name) => `workflowservice.v1.WorkflowService/${name}`);
  server = await startTemporalFrontend(methods, () => {
    calls += 1;
    return calls <= failures ? status.UNAVAILABLE : status.OK;
  });
  address = server.address;
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.connection.close();
  server.stop();
});

function clientOf(use: 'calls' | 'hints'): Client {
  const client = createTemporalClient({ address, namespace: 'any' }, use);
  clients.push(client);
  return client;
}

test.each<[string, (client: Client) => Promise<unknown>]>([
  ['start of a job', (client) => createStartJob(client)('erasureRun', tenantId, 'e', { tenantId, erasureId: 'e' })],
  ['retry of a session', (client) => createSessionSteering(client, POLICY).retry(tenantId, newId())],
  ['termination', (client) => createRunningWorkflows(client).terminate('index/any', 'test')],
  ['pause of a schedule', (client) => createSchedules(client).pause('backup', 'test')],
])('retries a transient failure: %s', async (_name, call) => {
  await call(clientOf('calls'));
  expect(calls).toBe(2);
});

test.each<[string, (hints: ReturnType<typeof createWorkflowHints>) => Promise<void>]>([
  ['session', (hints) => hints.session(tenantId, newId())],
  ['index', (hints) => hints.index(tenantId)],
  ['reindex', (hints) => hints.reindex(tenantId)],
  ['batch', (hints) => hints.modelBatch(tenantId, { id: newId(), n: 1, full: false })],
])('does not retry a hint: %s', async (_name, send) => {
  await expect(send(createWorkflowHints(clientOf('hints'), POLICY, BATCH))).rejects.toThrow(TemporalUnavailable);
  expect(calls).toBe(1);
});

test('returns a longer outage after a few attempts', async () => {
  failures = 100;
  await expect(createSessionSteering(clientOf('calls'), POLICY).retry(tenantId, newId())).rejects.toThrow(
    TemporalUnavailable,
  );
  expect(calls).toBe(4);
});

test('fails a call whose retry finds the connection closed', async () => {
  failures = 100;
  const client = clientOf('calls');
  const call = Promise.allSettled([createSessionSteering(client, POLICY).retry(tenantId, newId())]);
  await expect.poll(() => calls).toBeGreaterThan(0);
  await client.connection.close();
  const [outcome] = await call;
  expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(TemporalUnavailable) });
});
