import { randomUUID } from 'node:crypto';
import { expect, inject, test } from 'vitest';
import { bootstrapTemporal } from '../../infra/bootstrap/temporal.ts';
import { createTemporalClient } from '../../stores/temporal/client.ts';
import { makeCurrent, promoteBuild } from '../../stores/temporal/deployment.ts';

test('a build that the server has not seen is not current yet', async () => {
  const { address } = inject('engines').temporal;
  const namespace = `promote-${randomUUID()}`;
  await bootstrapTemporal({ address, namespace, operations: [] });
  const client = createTemporalClient({ address, namespace });
  expect(await makeCurrent(client, 'unseen')).toBe(false);
  await client.connection.close();
});

test('promotion retries while the server is unavailable, and ends when the worker stops', async () => {
  const client = createTemporalClient({ address: '127.0.0.1:1', namespace: 'nowhere' });
  const stop = new AbortController();
  let failures = 0;
  const promoted = promoteBuild(client, 'any', stop.signal, () => {
    failures += 1;
    if (failures === 2) stop.abort();
  });
  expect(await promoted).toBe(false);
  expect(failures).toBe(2);
  await client.connection.close();
});
