import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { findPostgresBinaries } from '../../../infra/engines/postgres/binaries.ts';
import { postgresService } from '../../../infra/engines/postgres/service.ts';
import { openInstance } from '../../../infra/instance/instance.ts';
import type { Instance } from '../../../infra/instance/instance.ts';
import type { PortName } from '../../../infra/instance/ports.ts';
import type { NodeDefinition } from '../../../infra/supervisor/definitions.ts';
import { runInstance } from '../../../infra/supervisor/run-instance.ts';
import { instanceNodes } from '../../../infra/supervisor/start-instance.ts';
import { testFolder } from '../support/folder.ts';
import { recordProgress } from '../support/progress.ts';
import { service, stage } from '../support/services.ts';

/** Occupies a port, as another program would. */
async function occupy(port: number): Promise<void> {
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, '127.0.0.1', () => resolve());
  await promise;
  onTestFinished(() => void server.close());
}

/** Runs a graph whose first step occupies a port that the instance has just chosen. */
async function runWithThief(
  steal: (instance: Instance, attempt: number) => number | null,
  nodes: (instance: Instance) => readonly NodeDefinition[],
  apiPort?: number,
) {
  const progress = recordProgress();
  let attempts = 0;
  const running = await runInstance({
    dataDir: testFolder(),
    progress,
    signal: new AbortController().signal,
    preferPorts: 'free',
    apiPort,
    prepare: () => Promise.resolve(null),
    nodes: (instance) => {
      attempts += 1;
      const stolen = steal(instance, attempts);
      const thief: NodeDefinition = {
        kind: 'step',
        name: 'thief',
        after: [],
        run: async () => (stolen === null ? undefined : occupy(stolen)),
      };
      return [thief, ...nodes(instance)];
    },
  });
  onTestFinished(() => running.stop());
  return { ...running, attempts, lines: progress.lines };
}

const listener = (port: number) =>
  `require('node:net').createServer().listen(${port}, '127.0.0.1', () => ready()); process.on('SIGTERM', () => process.exit(0));`;

test('replaces a port that is taken between its choice and its binding, also twice', async () => {
  const on = stage(testFolder());
  const stolen: number[] = [];
  const name: PortName = 'weaviateGrpc';
  const { instance, attempts, lines } = await runWithThief(
    ({ ports }, attempt) => (attempt <= 2 ? (stolen.push(ports[name]), ports[name]) : null),
    ({ ports }) => [
      service(on, 'index', {
        after: ['thief', 'other'],
        script: listener(ports[name]),
        ports: [ports.weaviateHttp, ports[name]],
      }),
      service(on, 'other', { after: ['thief'] }),
    ],
  );
  expect(attempts).toBe(3);
  expect(stolen).not.toContain(instance.ports[name]);
  expect(lines).toContainEqual(
    `ports: update index did not start: port ${stolen[0]} is in use by another program; starting again with another`,
  );
  expect(on.events().filter((event) => event.endsWith('other'))).toEqual(
    ['start', 'stop', 'start', 'stop', 'start'].map((event) => `${event} other`),
  );
});

test('PostgreSQL starts on another port if its own is taken', async () => {
  const binaries = await findPostgresBinaries();
  const { attempts, supervisor } = await runWithThief(
    ({ ports }, attempt) => (attempt === 1 ? ports.postgres : null),
    (instance) => [{ ...postgresService(instance, binaries, { PATH: '/usr/bin:/bin' }), after: ['thief'] }],
  );
  expect(attempts).toBe(2);
  expect(supervisor.state().nodes['postgres']?.status).toBe('ready');
});

test('every port of an instance is declared by one of its services', async () => {
  const instance = await openInstance(testFolder(), { preferPorts: 'free' });
  const postgres = await findPostgresBinaries();
  const files = { postgres, temporalServer: '', temporalSqlTool: '', weaviateServer: '' };
  const nodes = instanceNodes(instance, files, { cacheDir: testFolder(), environment: {}, progress: recordProgress() });
  const declared = nodes.flatMap((node) => (node.kind === 'service' ? node.ports : []));
  const ascending = (a: number, b: number) => a - b;
  expect(declared.toSorted(ascending)).toEqual(Object.values(instance.ports).toSorted(ascending));
});

test('does not replace a requested port', async () => {
  const on = stage(testFolder());
  const free = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => free.once('listening', resolve));
  const address = free.address();
  const apiPort = address !== null && typeof address === 'object' ? address.port : 0;
  await new Promise((resolve) => free.close(resolve));
  await expect(
    runWithThief(
      ({ ports }) => ports.api,
      ({ ports }) => [service(on, 'api', { after: ['thief'], script: listener(ports.api), ports: [ports.api] })],
      apiPort,
    ),
  ).rejects.toMatchObject({ code: 'port-taken', message: expect.stringContaining('--port') });
});
