import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import {
  choosePorts,
  DEFAULT_PORTS,
  isPortFree,
  MAX_MEMBERSHIP_PORT,
  PORT_NAMES,
  readSavedPorts,
} from '../../../infra/instance/ports.ts';
import { until } from '../../setup/until.ts';
import { testFolder } from '../support/folder.ts';

/** On Linux; on macOS 49152. */
const FIRST_OUTGOING_PORT = 32_768;

async function occupy(port: number, host: string): Promise<number> {
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, () => resolve());
  await promise;
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

test.each(['127.0.0.1', '0.0.0.0'])('a port with a listener at %s is not free', async (host) => {
  const port = await occupy(0, host);
  expect(await isPortFree(port)).toBe(false);
});

test('a port that receives datagrams is not free', async () => {
  const socket = createSocket('udp4');
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.bind(0, '127.0.0.1', () => resolve());
  await promise;
  onTestFinished(() => void socket.close());
  expect(await isPortFree(socket.address().port)).toBe(false);
});

test('defaults are outside the range of outgoing connections, except the documented API port', () => {
  const { api: _documented, ...engines } = DEFAULT_PORTS;
  for (const port of Object.values(engines)) expect(port).toBeLessThan(FIRST_OUTGOING_PORT);
});

test('free ports are distinct, bindable, below the range of outgoing connections, and saved', async () => {
  const file = path.join(testFolder(), 'ports.json');
  const ports = await choosePorts({ file, prefer: 'free' });
  const numbers = Object.values(ports);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(Object.keys(ports).sort()).toEqual(Object.keys(DEFAULT_PORTS).sort());
  for (const port of numbers) expect(port).toBeLessThan(MAX_MEMBERSHIP_PORT);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(ports);
  expect(readSavedPorts(file)).toEqual(ports);
});

test('reuses saved ports that are free and replaces only those that are taken', async () => {
  const file = path.join(testFolder(), 'ports.json');
  const first = await choosePorts({ file, prefer: 'free' });
  expect(await choosePorts({ file, prefer: 'saved' })).toEqual(first);
  await occupy(first.postgres, '127.0.0.1');
  const second = await choosePorts({ file, prefer: 'saved' });
  expect(second.postgres).not.toBe(first.postgres);
  expect({ ...second, postgres: 0 }).toEqual({ ...first, postgres: 0 });
});

test('a first start uses the default ports that are free', async () => {
  const file = path.join(testFolder(), 'ports.json');
  const free = async () =>
    Object.fromEntries(
      await Promise.all(PORT_NAMES.map(async (name) => [name, await isPortFree(DEFAULT_PORTS[name])] as const)),
    );
  // Another instance on this machine may use some of the defaults, or start or end meanwhile.
  const { before, ports } = await until(async () => {
    const before = await free();
    rmSync(file, { force: true });
    const ports = await choosePorts({ file, prefer: 'saved' });
    return isDeepStrictEqual(before, await free()) ? { before, ports } : undefined;
  });
  expect(Object.fromEntries(PORT_NAMES.map((name) => [name, ports[name] === DEFAULT_PORTS[name]]))).toEqual(before);
});

test('uses or rejects the requested API port, never replaces it', async () => {
  const file = path.join(testFolder(), 'ports.json');
  const { api } = await choosePorts({ file, prefer: 'free' });
  expect((await choosePorts({ file, prefer: 'free', api })).api).toBe(api);
  await occupy(api, '127.0.0.1');
  await expect(choosePorts({ file, prefer: 'saved', api })).rejects.toMatchObject({ code: 'port-taken' });
});

test('discards a saved membership port that Temporal cannot store, and a damaged file', () => {
  const file = path.join(testFolder(), 'ports.json');
  writeFileSync(
    file,
    JSON.stringify({ temporalWorkerMembership: MAX_MEMBERSHIP_PORT + 1, postgres: 40_000, unknown: 1 }),
  );
  expect(readSavedPorts(file)).toEqual({ postgres: 40_000 });
  writeFileSync(file, '{"postgres": 99999999');
  expect(readSavedPorts(file)).toEqual({});
});
