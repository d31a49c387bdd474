import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { asId } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import { bootstrapTemporal } from '../../../infra/bootstrap/temporal.ts';
import { createTemporalClient } from '../../../stores/temporal/client.ts';
import { createWorkflowHints } from '../../../stores/temporal/hints.ts';
import { workflowIdOf } from '../../../workflows/registry.ts';

const POLICY = { windowTokens: 1, turnTokens: 1, quietMs: 1, maxAgeMs: 1, idleMs: 1, retryMs: 1 };
const BATCH = { gatherMs: 1, pollMs: 1, retryMs: 1 };
const namespace = `hints-${randomUUID()}`;
let client: Client;
let observer: Client;

beforeAll(async () => {
  const { address } = inject('engines').temporal;
  await bootstrapTemporal({ address, namespace, operations: [] });
  client = createTemporalClient({ address, namespace });
  observer = new Client({ connection: await Connection.connect({ address }), namespace });
});
afterAll(async () => {
  await client.connection.close();
  await observer.connection.close();
});

async function signalsOf(tenantId: TenantId): Promise<number> {
  const { events } = await observer.workflow.getHandle(workflowIdOf('index', tenantId, 0)).fetchHistory();
  return (events ?? []).filter((event) => event.workflowExecutionSignaledEventAttributes).length;
}

test('folds a burst of index hints of one tenant; no caller gets a hint that was sent before its request', async () => {
  const hints = createWorkflowHints(client, POLICY, BATCH);
  const tenantId = asId<TenantId>(randomUUID());
  const first = hints.index(tenantId);
  const later = Array.from({ length: 100 }, () => hints.index(tenantId));
  await first;
  expect(await signalsOf(tenantId)).toBeLessThanOrEqual(2);
  await Promise.all(later);
  expect(await signalsOf(tenantId)).toBe(2);
  await hints.index(tenantId);
  expect(await signalsOf(tenantId)).toBe(3);
});

test('tenants do not wait for each other, and a failure is returned and not cached', async () => {
  const unreachable = createTemporalClient({ address: '127.0.0.1:1', namespace });
  const hints = createWorkflowHints(unreachable, POLICY, BATCH);
  const tenantId = asId<TenantId>(randomUUID());
  const results = await Promise.allSettled([hints.index(tenantId), hints.index(tenantId)]);
  expect(results.map((result) => result.status)).toEqual(['rejected', 'rejected']);
  await unreachable.connection.close();
  const working = createWorkflowHints(client, POLICY, BATCH);
  const others = Array.from({ length: 3 }, () => asId<TenantId>(randomUUID()));
  await Promise.all(others.map((other) => working.index(other)));
  expect(await Promise.all(others.map(signalsOf))).toEqual([1, 1, 1]);
});
