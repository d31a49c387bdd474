import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { ImportApi } from '../../../cli/import/import-api.ts';

const refusal = { error: 'Temporal does not answer', code: 'TEMPORAL_UNAVAILABLE', details: [], request_id: 'r' };
let server: Server | undefined;

afterEach(() => server?.close());

/** Starts a server that responds with these statuses in order, then repeats the last one. */
async function answering(...statuses: number[]): Promise<{ api: ImportApi; requests: string[] }> {
  const requests: string[] = [];
  server = createServer((incoming, outgoing) => {
    requests.push(`${incoming.method} ${incoming.url}`);
    incoming.resume();
    const status = statuses[Math.min(requests.length, statuses.length) - 1] ?? 500;
    outgoing.writeHead(status, { 'content-type': 'application/json' });
    outgoing.end(JSON.stringify(refusal));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { api: new ImportApi({ url, apiKey: 'k' }, new AbortController().signal), requests };
}

test('cancel retries while Temporal is unavailable', async () => {
  const { api, requests } = await answering(503, 404);
  await expect(api.cancel('one')).rejects.toMatchObject({ status: 404 });
  expect(requests).toEqual(['POST /api/v1/imports/one/cancel', 'POST /api/v1/imports/one/cancel']);
});

test('cancel reports a permanent failure at once, and show does not retry', async () => {
  const { api, requests } = await answering(409);
  await expect(api.cancel('one')).rejects.toMatchObject({ status: 409 });
  expect(requests).toHaveLength(1);
  server?.close();
  const other = await answering(503);
  await expect(other.api.show('one')).rejects.toMatchObject({ status: 503, code: 'TEMPORAL_UNAVAILABLE' });
  expect(other.requests).toHaveLength(1);
});
