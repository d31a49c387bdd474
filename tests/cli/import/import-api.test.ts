import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { ImportApi } from '../../../cli/import/import-api.ts';

const refusal = { error: 'Temporal does not answer', code: 'TEMPORAL_UNAVAILABLE', details: [], request_id: 'r' };
let server: Server | undefined;

afterEach(() => server?.close());

/** A server that answers every request with the next of these states, the last one again and again. */
async function answering(...statuses: number[]): Promise<{ api: ImportApi; asked: string[] }> {
  const asked: string[] = [];
  server = createServer((incoming, outgoing) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    incoming.resume();
    const status = statuses[Math.min(asked.length, statuses.length) - 1] ?? 500;
    outgoing.writeHead(status, { 'content-type': 'application/json' });
    outgoing.end(JSON.stringify(refusal));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { api: new ImportApi({ url, apiKey: 'k' }, new AbortController().signal), asked };
}

test('an order to stop is given again while Temporal is unreachable', async () => {
  const { api, asked } = await answering(503, 404);
  await expect(api.cancel('one')).rejects.toMatchObject({ status: 404 });
  expect(asked).toEqual(['POST /api/v1/imports/one/cancel', 'POST /api/v1/imports/one/cancel']);
});

test('what does not pass by itself is told at once, and a look is not repeated', async () => {
  const { api, asked } = await answering(409);
  await expect(api.cancel('one')).rejects.toMatchObject({ status: 409 });
  expect(asked).toHaveLength(1);
  server?.close();
  const other = await answering(503);
  await expect(other.api.show('one')).rejects.toMatchObject({ status: 503, code: 'TEMPORAL_UNAVAILABLE' });
  expect(other.asked).toHaveLength(1);
});
