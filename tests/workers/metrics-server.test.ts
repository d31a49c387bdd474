import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, expect, test } from 'vitest';
import { createLogger } from '../../telemetry/logger.ts';
import { serveMetrics } from '../../workers/metrics-server.ts';
import { testCertificate } from '../setup/certificate.ts';
import { freePort } from '../setup/worker-process.ts';

const TOKEN = 'a-token-for-scraping';
const folder = mkdtempSync(path.join(tmpdir(), 'recollect-worker-tls-'));
const logger = createLogger('test', 'silent');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('serves HTTPS with the certificate of the settings only', async () => {
  const { cert, key } = testCertificate('worker');
  const tls = { certFile: path.join(folder, 'cert.pem'), keyFile: path.join(folder, 'key.pem') };
  writeFileSync(tls.certFile, cert);
  writeFileSync(tls.keyFile, key);
  const port = await freePort();
  const server = await serveMetrics({ host: '127.0.0.1', port, token: TOKEN, tls }, logger, () =>
    Promise.resolve('x 1\n'),
  );
  try {
    const sent = request({
      host: 'localhost',
      port,
      path: '/metrics',
      agent: new Agent({ ca: cert }),
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    const answered = once(sent, 'response');
    sent.end();
    const [response] = await answered;
    expect([response.statusCode, await text(response)]).toEqual([200, 'x 1\n']);
    await expect(fetch(`http://127.0.0.1:${port}/metrics`)).rejects.toThrow('fetch failed');
  } finally {
    await server.close();
  }
});

test('answers with 500 and without a reason if the metrics cannot be read, and serves the next scrape', async () => {
  const port = await freePort();
  let scrapes = 0;
  const server = await serveMetrics({ host: '127.0.0.1', port, token: TOKEN, tls: null }, logger, () => {
    scrapes += 1;
    return scrapes === 1 ? Promise.reject(new Error('a secret reason')) : Promise.resolve('x 1\n');
  });
  try {
    const scrape = () => fetch(`http://127.0.0.1:${port}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
    const failed = await scrape();
    expect([failed.status, await failed.text()]).toEqual([500, expect.not.stringContaining('secret')]);
    expect((await scrape()).status).toBe(200);
  } finally {
    await server.close();
  }
});
