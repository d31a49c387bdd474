import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { processEnvironment } from '../../../config/process-environment.ts';
import { bootstrapDatabase } from '../../../infra/bootstrap/database.ts';
import { localAccess, requestRestore } from '../../../infra/instance/request-restore.ts';
import { runCli } from '../../cli/support/run-cli.ts';
import { testCertificate } from '../../setup/certificate.ts';
import { settled } from '../../setup/demo-session.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { untilTrue } from '../../setup/until.ts';
import { startTlsProxy } from '../../setup/tls-proxy.ts';
import type { TlsProxy } from '../../setup/tls-proxy.ts';
import { freePort } from '../../setup/worker-process.ts';
import { serveTls } from '../support/postgres-tls.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const instance = fileInstance();
const folder = mkdtempSync(path.join(tmpdir(), 'recollect-external-'));
const engines = testCertificate('engines');
const unrelated = testCertificate('unrelated');
// PostgreSQL requires the name of the role.
const client = testCertificate('recollect_app');
const files = Object.fromEntries(
  Object.entries({ ca: engines.cert, otherCa: unrelated.cert, clientCert: client.cert, clientKey: client.key }).map(
    ([name, pem]) => {
      const file = path.join(folder, `${name}.pem`);
      writeFileSync(file, pem, { mode: 0o600 });
      return [name, file];
    },
  ),
);
const { ca = '', otherCa = '', clientCert = '', clientKey = '' } = files;
const closing: (() => unknown)[] = [];
let settings: Record<string, string> = {};

/** Returns the address of a database over TLS, for a role with a client certificate if it is the application. */
function overTls(url: string, parameters: Readonly<Record<string, string>> = {}): string {
  return `${url}?${new URLSearchParams({ sslmode: 'verify-full', ...parameters }).toString()}`;
}

beforeAll(async () => {
  const { db, environment } = instance;
  const rules = [
    `hostssl ${db.name} recollect_app 127.0.0.1/32 scram-sha-256 clientcert=verify-full`,
    `hostnossl ${db.name} recollect_app 127.0.0.1/32 reject`,
  ];
  closing.push(await serveTls(db.url('superuser'), { server: engines, clientAuthority: client.cert, rules }));
  const { temporal, weaviate } = inject('engines');
  const proxy = async (port: number, options: object = {}): Promise<TlsProxy> => {
    const started = await startTlsProxy(port, { ...engines, ...options });
    closing.push(() => started.close());
    return started;
  };
  const mutual = { requestCert: true, rejectUnauthorized: true, ca: client.cert };
  const frontend = await proxy(Number(temporal.address.split(':')[1]), { ALPNProtocols: ['h2'], ...mutual });
  const rest = await proxy(Number(new URL(weaviate.url).port));
  const grpc = await proxy(weaviate.grpcPort, { ALPNProtocols: ['h2'] });
  settings = {
    ...environment,
    RECOLLECT_CA_FILE: ca,
    RECOLLECT_DATABASE_URL: overTls(db.url('app'), { sslcert: clientCert, sslkey: clientKey }),
    RECOLLECT_MAINTENANCE_DATABASE_URL: overTls(db.url('maintenance')),
    RECOLLECT_RESTORE_DATABASE_URL: overTls(environment['RECOLLECT_RESTORE_DATABASE_URL'] ?? '', { sslrootcert: ca }),
    RECOLLECT_TEMPORAL_ADDRESS: `127.0.0.1:${frontend.port}`,
    RECOLLECT_TEMPORAL_TLS: 'true',
    RECOLLECT_TEMPORAL_TLS_CERT_FILE: clientCert,
    RECOLLECT_TEMPORAL_TLS_KEY_FILE: clientKey,
    RECOLLECT_TEMPORAL_TLS_SERVER_NAME: 'localhost',
    RECOLLECT_WEAVIATE_URL: `https://127.0.0.1:${rest.port}`,
    RECOLLECT_WEAVIATE_GRPC_HOST: 'localhost',
    RECOLLECT_WEAVIATE_GRPC_PORT: String(grpc.port),
  };
});
afterAll(async () => {
  for (const close of closing.toReversed()) await close();
  rmSync(folder, { recursive: true, force: true });
});

/** Returns what `doctor` prints of the engines with these settings, by engine, and its exit code. Poll it: on a busy machine an engine may not answer its check in time. */
async function doctor(changes: Readonly<Record<string, string>>) {
  const { exitCode, output } = await runCli(['doctor', '--data-dir', path.join(folder, 'data')], {
    ...settings,
    ...changes,
    // Would replace the authorities of gRPC.
    GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: '',
  }).ended;
  for (const secret of [inject('roles').app, inject('roles').maintenance, inject('engines').weaviate.apiKey, 'a-key'])
    expect(output).not.toContain(secret);
  const lines = output.matchAll(/^(\w+) +(PostgreSQL \(\w+ role\)|Temporal|Weaviate): (.*)$/gm);
  return {
    exitCode,
    engines: Object.fromEntries([...lines].map(([, result, name, text]) => [name, `${result} ${text}`])),
  };
}

/** Starts the api or the worker with these settings; returns the process and its log. */
function start(entry: string, environment: Readonly<Record<string, string>>) {
  const { PATH, HOME } = processEnvironment();
  const child = spawn(process.execPath, [path.join(ROOT, entry)], {
    env: { PATH, HOME, ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
  const ended = once(child, 'close');
  closing.push(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  return { child, ended, log: () => log };
}

test('a session is captured, summarised and found with every engine behind TLS and client certificates', async () => {
  const port = String(await freePort());
  const api = start('api/main.ts', { ...settings, RECOLLECT_HTTP_PORT: port });
  const worker = start('workers/main.ts', settings);
  await Promise.race([
    Promise.all([once(api.child, 'message'), once(worker.child, 'message')]),
    Promise.race([api.ended, worker.ended]).then(() => Promise.reject(new Error(api.log() + worker.log()))),
  ]);
  const call = async (method: string, route: string, body?: unknown) => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1${route}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: {
        authorization: `Bearer ${instance.admin.key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
    });
    return { status: answer.status, headers: answer.headers, body: await answer.json() };
  };
  const event = { host: 'test', session_id: 'over-tls' };
  const content = 'the turbine of the lighthouse is controlled by a marmalade relay';
  expect((await call('POST', '/events', { ...event, type: 'prompt', content })).status).toBe(202);
  expect((await call('POST', '/events', { ...event, type: 'session.ended' })).status).toBe(202);
  await settled({ call: (method, route) => call(method, route) }, 'test:over-tls');
  const found = await call('GET', '/search?q=marmalade+relay');
  expect(found.body).toMatchObject({
    degraded: [],
    data: expect.arrayContaining([expect.objectContaining({ content: expect.stringContaining('marmalade') })]),
  });
  const tls = await instance.rows(
    `SELECT DISTINCT usename, ssl FROM pg_stat_activity JOIN pg_stat_ssl USING (pid)
      WHERE datname = $1 AND application_name IN ('recollect-api', 'recollect-api-access', 'recollect-worker', 'recollect-maintenance')
      ORDER BY 1`,
    [instance.db.name],
  );
  expect(tls).toContainEqual({ usename: 'recollect_app', ssl: true });
}, 300_000);

test('doctor connects to every engine, and names the TLS version of PostgreSQL', async () => {
  await expect
    .poll(async () => (await doctor({})).engines)
    .toEqual({
      'PostgreSQL (application role)': 'ok reachable, TLSv1.3',
      'PostgreSQL (maintenance role)': 'ok reachable, TLSv1.3',
      'PostgreSQL (restore role)': 'ok reachable, TLSv1.3',
      Temporal: 'ok reachable, TLS',
      Weaviate: 'ok reachable, TLS',
    });
});

test('a drill of another store is started with the certificates of a worker’s environment', async () => {
  const access = localAccess(path.join(folder, 'data'), settings);
  if (access === null) throw new Error('no access to the instance');
  const request = { kind: 'drill', backupId: null, signer: null, overwrite: false, dryRun: false } as const;
  const id = await requestRestore(access, { ...request, store: path.join(folder, 'store') });
  expect(await instance.rows('SELECT id FROM restores')).toEqual([{ id }]);
});

test('another authority than that of the engines is refused by every connection, with the reason', async () => {
  const restore = (settings['RECOLLECT_RESTORE_DATABASE_URL'] ?? '').replace(
    /sslrootcert=[^&]*/,
    `sslrootcert=${otherCa}`,
  );
  const refused = expect.stringMatching(/^fail .*self-signed certificate/) as string;
  await expect
    .poll(() => doctor({ RECOLLECT_CA_FILE: otherCa, RECOLLECT_RESTORE_DATABASE_URL: restore }))
    .toEqual({
      exitCode: 1,
      engines: {
        'PostgreSQL (application role)': refused,
        'PostgreSQL (maintenance role)': refused,
        'PostgreSQL (restore role)': refused,
        Temporal: refused,
        Weaviate: refused,
      },
    });
});

test('a worker without the authority of the engines ends with the reason', async () => {
  const worker = start('workers/main.ts', { ...settings, RECOLLECT_CA_FILE: otherCa });
  const [exit] = await worker.ended;
  expect(exit).toBe(1);
  expect(worker.log()).toContain('InvalidCertificate(UnknownIssuer)');
});

test('an api without the authority of the engines is not ready, and logs the reason', async () => {
  const port = String(await freePort());
  const api = start('api/main.ts', {
    ...settings,
    RECOLLECT_CA_FILE: otherCa,
    RECOLLECT_HTTP_PORT: port,
    RECOLLECT_LOG_LEVEL: 'warn',
  });
  await once(api.child, 'message');
  const reasons = ['postgres', 'temporal', 'weaviate'].map(
    (name) => new RegExp(`"dependency":"${name}","reason":"[^"]*self-signed certificate`),
  );
  // On a busy machine a check may reach its time limit first.
  await untilTrue(
    async () => {
      expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(503);
      return reasons.every((reason) => reason.test(api.log()));
    },
    60_000,
    'the reasons',
  );
});

test.each<[string, Record<string, string>, RegExp]>([
  ['Temporal', { RECOLLECT_TEMPORAL_TLS_SERVER_NAME: 'temporal.example.org' }, /^fail .*temporal\.example\.org/],
  ['Weaviate', { RECOLLECT_WEAVIATE_API_KEY: 'wrong-key' }, /^fail .*(?:401|invalid api key)/i],
  ['PostgreSQL (application role)', { RECOLLECT_DATABASE_URL: 'no client certificate' }, /^fail .*client certificate/],
])('%s refuses what does not fit, %o', async (name, changes, reason) => {
  const given =
    changes['RECOLLECT_DATABASE_URL'] === undefined
      ? changes
      : { RECOLLECT_DATABASE_URL: overTls(instance.db.url('app')) };
  const refused = expect.stringMatching(reason) as string;
  await expect.poll(() => doctor(given)).toMatchObject({ exitCode: 1, engines: { [name]: refused } });
});

test('sends the API key and the namespace of a hosted Temporal', async () => {
  const seen: unknown[] = [];
  const server = createSecureServer({ cert: engines.cert, key: engines.key });
  server.on('stream', (stream, headers) => {
    seen.push([headers[':path'], headers['authorization'], headers['temporal-namespace']]);
    stream.resume();
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '7', 'grpc-message': 'no' },
      { endStream: true },
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = z.object({ port: z.number() }).parse(server.address());
  try {
    const hosted = {
      RECOLLECT_TEMPORAL_ADDRESS: `127.0.0.1:${address.port}`,
      RECOLLECT_TEMPORAL_NAMESPACE: 'recollect.a1b2c',
      RECOLLECT_TEMPORAL_API_KEY: 'a-key',
    };
    await expect.poll(async () => (await doctor(hosted)).engines['Temporal']).toContain('PERMISSION_DENIED');
    expect(seen).toContainEqual([expect.stringContaining('/DescribeNamespace'), 'Bearer a-key', 'recollect.a1b2c']);
  } finally {
    server.close();
  }
});

test('roles, database and schema are created over TLS', async () => {
  const databaseName = `${instance.db.name}_tls`;
  const lines: string[] = [];
  try {
    await bootstrapDatabase({
      superuserUrl: overTls(instance.db.url('superuser').replace(/[^/]*$/, 'postgres'), { sslrootcert: ca }),
      databaseName,
      passwords: inject('roles'),
      progress: (line) => lines.push(line),
    });
    expect(lines).toEqual([expect.stringMatching(/migrations applied/)]);
  } finally {
    await instance.db.superuser.query(`DROP DATABASE IF EXISTS ${databaseName} WITH (FORCE)`);
  }
});
