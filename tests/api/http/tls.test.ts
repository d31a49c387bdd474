import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApiDependencies } from '../../../api/dependencies.ts';
import { createServer } from '../../../api/server.ts';
import { ConfigError, parseConfig } from '../../../config/config.ts';
import { processEnvironment } from '../../../config/process-environment.ts';
import { createLogger } from '../../../telemetry/logger.ts';
import { testCertificate } from '../../setup/certificate.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { untilTrue } from '../../setup/until.ts';

const CLI = fileURLToPath(new URL('../../../cli/main.ts', import.meta.url));
const instance = fileInstance();
const folder = mkdtempSync(path.join(tmpdir(), 'recollect-tls-'));
const files = { cert: path.join(folder, 'cert.pem'), key: path.join(folder, 'key.pem') };
const first = testCertificate('first');
const second = testCertificate('second');
const failures: string[] = [];
let port = 0;
let stop: () => Promise<void> = () => Promise.resolve();

function write({ cert, key }: { readonly cert: string; readonly key: string }): void {
  writeFileSync(files.key, key);
  writeFileSync(files.cert, cert);
}

/** Creates an api with these settings; `close` ends it. */
async function createApi(settings: Readonly<Record<string, string>>) {
  const silent = createLogger('test', 'silent');
  const logger = new Proxy(silent, {
    get: (target, name, receiver) =>
      name === 'error'
        ? (_fields: object, message: string) => failures.push(message)
        : Reflect.get(target, name, receiver),
  });
  const dependencies = createApiDependencies(parseConfig({ ...instance.environment, ...settings }), logger);
  const close = async (server?: Awaited<ReturnType<typeof createServer>>): Promise<void> => {
    await server?.close();
    await dependencies.close();
  };
  const server = await createServer({ dependencies, logger, isStopping: () => false }).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return { server, close: () => close(server) };
}

beforeAll(async () => {
  write(first);
  const { server, close } = await createApi({
    RECOLLECT_TLS_CERT_FILE: files.cert,
    RECOLLECT_TLS_KEY_FILE: files.key,
  });
  port = Number(new URL(await server.listen({ host: '127.0.0.1', port: 0 })).port);
  stop = close;
});
afterAll(async () => {
  await stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Sends a GET request; returns status, headers and body. */
async function get(route: string, agent = new Agent({ ca: first.cert + second.cert })) {
  const sent = request({
    host: 'localhost',
    port,
    path: `/api/v1${route}`,
    agent,
    headers: { authorization: `Bearer ${instance.admin.key}` },
  });
  const answered = once(sent, 'response');
  sent.end();
  const [response] = await answered;
  const body = await text(response);
  return { status: response.statusCode, headers: response.headers, body };
}

/** Returns the common name of the certificate that a new connection gets. */
async function servedName(): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: first.cert + second.cert });
  await once(socket, 'secureConnect');
  const name = socket.getPeerCertificate().subject.CN;
  socket.destroy();
  return String(name);
}

describe('an api with a certificate', () => {
  test('exports the end of its certificate', async () => {
    const exported = async () => {
      const { body } = await get('/metrics');
      return Number(/^recollect_tls_certificate_expiry_timestamp_seconds (\S+)$/m.exec(body)?.[1]);
    };
    // A scrape does not wait for figures that are late.
    await expect.poll(exported).toBe(new X509Certificate(first.cert).validToDate.getTime() / 1_000);
  });

  test('serves HTTPS only, requires it of browsers, and refuses TLS 1.1', async () => {
    const { status, headers } = await get('/projects');
    expect(status).toBe(200);
    expect(headers['strict-transport-security']).toMatch(/^max-age=\d{8}/);
    await expect(fetch(`http://127.0.0.1:${port}/api/v1/health/live`)).rejects.toThrow('fetch failed');
    const old = connect({
      host: '127.0.0.1',
      port,
      ca: first.cert,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    const [error] = await once(old, 'error');
    expect(String(error)).toMatch(/protocol version|ssl/i);
  });

  test('is used by the CLI with the name of the certificate', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [CLI, 'projects'], {
      env: {
        ...processEnvironment(),
        RECOLLECT_URL: `https://localhost:${port}`,
        RECOLLECT_API_KEY: instance.admin.key,
        NODE_EXTRA_CA_CERTS: files.cert,
      },
    });
    expect(stdout).not.toBe('');
  });

  test('serves a changed certificate to new connections and loses no request; a pair that does not fit changes nothing', async () => {
    const agent = new Agent({ ca: first.cert + second.cert, keepAlive: true, maxSockets: 4 });
    const statuses: number[] = [];
    let isOver = false;
    const load = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (!isOver) statuses.push((await get('/health/live', agent)).status ?? 0);
      }),
    );
    try {
      write(second);
      await untilTrue(async () => (await servedName()) === 'second', undefined, 'the new certificate');
      write({ cert: first.cert, key: second.key });
      await untilTrue(
        async () => failures.some((message) => message.includes('was not reloaded')),
        undefined,
        'the refusal',
      );
      expect(await servedName()).toBe('second');
      writeFileSync(files.key, first.key);
      await untilTrue(async () => (await servedName()) === 'first', undefined, 'the first certificate');
    } finally {
      isOver = true;
      await load;
      agent.destroy();
    }
    expect(statuses.length).toBeGreaterThan(10);
    expect(new Set(statuses)).toEqual(new Set([200]));
  });
});

test.each([
  ['a missing file', { RECOLLECT_TLS_CERT_FILE: '/nowhere/cert.pem', RECOLLECT_TLS_KEY_FILE: '/nowhere/key.pem' }],
  ['a file that is no certificate', { RECOLLECT_TLS_CERT_FILE: CLI, RECOLLECT_TLS_KEY_FILE: CLI }],
])('refuses to start with %s', async (_what, settings) => {
  await expect(createApi(settings)).rejects.toThrow(ConfigError);
});
