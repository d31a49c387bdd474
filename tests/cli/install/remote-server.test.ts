import { beforeAll, describe, expect, test } from 'vitest';
import { checkServer, readKey, serverAddress } from '../../../cli/install/server-access.ts';
import { closedPort } from '../../api/support/closed-port.ts';
import { serve } from '../../infra/support/file-server.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { captureCounts } from '../../stores/postgres/support/captures.ts';
import { Home } from './support/home.ts';

const instance = fileInstance();
let agentKey: string;

beforeAll(async () => {
  agentKey = (await instance.stranger({ scopes: ['capture', 'read'] })).key;
});

function homeWithKey(key: string): Home {
  const home = new Home(null);
  home.write('key', `${key}\n`, 0o600);
  return home;
}

const install = (home: Home, url: string, ...more: string[]) =>
  home.run('install', 'claude-code', '--server', url, '--api-key-file', home.path('key'), ...more);

test('checks the server without storing anything, configures the client, and every hook runs it', async () => {
  const before = await captureCounts(instance);
  const home = homeWithKey(agentKey);
  const { code, out } = await install(home, `${instance.url}/`);
  expect(code).toBe(0);
  expect(out).not.toContain(agentKey);
  expect(home.json('.recollect/client.json')).toEqual({ url: instance.url, api_key: agentKey });
  expect(home.mode('.recollect/client.json')).toBe(0o600);
  // An HTTP hook would be lost if the server is unavailable; the client spools it.
  expect(home.read('.claude/settings.json').match(/client\.cjs \w+ --data-dir/g)).toHaveLength(13);
  expect(home.read('.claude/settings.json')).not.toMatch(/"http"|RECOLLECT_API_KEY/);
  expect(out).toContain('recollect service install');
  expect(await captureCounts(instance)).toEqual(before);
  expect((await install(home, instance.url)).out).toContain('Nothing to change');
  const later = await home.run('install', 'cursor');
  expect(later.out).toContain(`Cursor sends 11 hooks to ${instance.url}.`);
  expect(later.out).toContain('client.json: delete this file to use the local instance');
});

test('a later install without an address runs the client, too, unless HTTP is requested', async () => {
  const home = homeWithKey(agentKey);
  await install(home, instance.url);
  await home.run('uninstall', 'claude-code');
  await home.run('install', 'claude-code');
  expect(home.read('.claude/settings.json')).not.toContain('"http"');
  await install(home, instance.url, '--transport', 'http');
  expect(home.read('.claude/settings.json')).toContain(`${instance.url}/api/v1/hooks/Stop`);
  expect(home.json('.claude/settings.json')).toMatchObject({ env: { RECOLLECT_API_KEY: agentKey } });
});

test('a dry run checks the server and writes nothing', async () => {
  const home = homeWithKey(agentKey);
  const { out } = await install(home, instance.url, '--dry-run');
  expect(out).toContain(`client.json would contain ${instance.url}.`);
  expect(home.list('.')).toEqual(['key']);
});

describe('is rejected before anything is written', () => {
  test('an unknown key', async () => {
    const home = homeWithKey('rcl_nobody_knows_this');
    expect(await install(home, instance.url)).toMatchObject({
      code: 1,
      err: expect.stringContaining('rejects this key'),
    });
    expect(home.list('.')).toEqual(['key']);
  });

  test('a key with the scope read only', async () => {
    const reader = await instance.stranger({ scopes: ['read'] });
    const home = homeWithKey(reader.key);
    expect((await install(home, instance.url)).err).toContain('lacks the scope capture');
  });

  test('a key with the scope admin, unless --no-check is set', async () => {
    const home = homeWithKey(instance.admin.key);
    expect(await install(home, instance.url)).toMatchObject({
      code: 1,
      err: expect.stringContaining('which agents must not have'),
    });
    expect(home.list('.')).toEqual(['key']);
    expect((await install(home, instance.url, '--no-check')).code).toBe(0);
  });

  test('an unreachable server, unless --no-check is set', async () => {
    const home = homeWithKey('rcl_some_key');
    const url = `http://127.0.0.1:${await closedPort()}`;
    expect((await install(home, url)).err).toContain('is unreachable');
    expect(home.list('.')).toEqual(['key']);
    expect((await install(home, url, '--no-check')).code).toBe(0);
  });

  test('a server of another kind, or one that redirects the key', async () => {
    const seen: (string | undefined)[] = [];
    const page = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.end('<html>');
    });
    expect((await install(homeWithKey('rcl_some_key'), page)).err).toContain('is not a Recollect server');
    const elsewhere = await serve((_request, response) => response.writeHead(302, { location: page }).end());
    expect((await install(homeWithKey('rcl_some_key'), elsewhere)).err).toContain('is unreachable');
    expect(seen).toEqual([undefined]);
  });

  test('a server without a key, a key without a server', async () => {
    const home = homeWithKey('rcl_some_key');
    expect((await home.run('install', 'cursor', '--server', instance.url)).err).toContain(
      '--server requires --api-key-file',
    );
    expect((await home.run('install', 'cursor', '--api-key-file', home.path('key'))).err).toContain(
      '--api-key-file requires --server',
    );
    expect((await home.run('install', 'cursor', '--server', instance.url, '--api-key-file', '/no/such')).err).toContain(
      'cannot be read',
    );
  });
});

test('accepts a key with the scope write, with a warning', async () => {
  const writer = await instance.stranger({ scopes: ['capture', 'read', 'write'] });
  const before = await captureCounts(instance);
  const { code, err } = await install(homeWithKey(writer.key), instance.url);
  expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining('has the scope write') });
  expect((await install(homeWithKey(agentKey), instance.url)).err).toBe('');
  expect(await captureCounts(instance)).toEqual(before);
});

describe('an address', () => {
  test.each([
    ['https://memory.example.org', 'https://memory.example.org'],
    ['https://example.org/memory/', 'https://example.org/memory'],
    ['http://localhost:37700', 'http://localhost:37700'],
    ['http://127.1.2.3:1', 'http://127.1.2.3:1'],
    ['http://[::1]:1/', 'http://[::1]:1'],
  ])('%s is accepted', (given, url) => {
    expect(serverAddress(given, false)).toBe(url);
  });

  test.each([
    ['memory.example.org', 'expected a URL'],
    ['ftp://example.org', 'expected an https or http URL'],
    ['https://me:secret@example.org', 'the URL contains credentials'],
    ['https://example.org/?key=secret', 'the URL contains a query'],
    ['http://example.org', 'plain HTTP'],
    ['http://127.0.0.1.example.org', 'plain HTTP'],
    ['http://localhost.example.org', 'plain HTTP'],
  ])('%s is rejected and not printed', (given, why) => {
    expect(() => serverAddress(given, false)).toThrow(why);
    expect(() => serverAddress(given, false)).not.toThrow('secret');
  });

  test('may be plain HTTP if allowed', () => {
    expect(serverAddress('http://10.0.0.7:37700', true)).toBe('http://10.0.0.7:37700');
  });
});

describe('a key', () => {
  test('may come from stdin', () => {
    expect(readKey('-', () => ' rcl_12345678\n')).toBe('rcl_12345678');
  });

  test.each(['', 'short', 'two words of it', 'line\nline-two-of-it', 'ünprintable-key', 'x'.repeat(513)])(
    '%j is none',
    (text) => {
      expect(() => readKey('-', () => text)).toThrow('8 to 512 printable characters');
    },
  );
});

test('the check accepts a server whose engines are unavailable', async () => {
  await expect(checkServer({ url: instance.url, apiKey: instance.admin.key, isRemote: true })).resolves.toBeUndefined();
});
