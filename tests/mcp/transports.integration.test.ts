import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { get_encoding } from 'tiktoken';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Scope } from '../../domain/access.ts';
import { longLivedFolder } from '../infra/support/long-lived-folder.ts';
import { fileInstance } from '../setup/file-instance.ts';
import { until, untilTrue } from '../setup/until.ts';
import { answerOf } from './support/connected.ts';
import type { ToolAnswer } from './support/connected.ts';

const CLI = path.resolve(import.meta.dirname, '../../cli/main.ts');
const NEWER = { versionNegotiation: { mode: 'auto' } } as const;
const listed = z.object({ data: z.array(z.object({ hash: z.string(), preview: z.string() })) });
const stored = z.object({ hash: z.string() });

const instance = fileInstance();
let stop: () => Promise<void>;
let readingKey: string;
let writingKey: string;

beforeAll(async () => {
  stop = await instance.startWorker();
  readingKey = await userKey('user', ['capture', 'read']);
  writingKey = await userKey('user', ['read', 'write']);
});
afterAll(async () => {
  await stop();
});

const userKey = async (role: 'user' | 'viewer' | 'admin', scopes: readonly Scope[]) =>
  (await instance.user({ role, scopes })).key;

const overHttp = (key: string, at = '/mcp') =>
  new StreamableHTTPClientTransport(new URL(`${instance.url}${at}`), {
    requestInit: { headers: { authorization: `Bearer ${key}` } },
  });

/** `recollect mcp` of a data directory whose operator's key no server knows: only the keys for agents work. */
function overStdio(
  environment: Record<string, string> = {},
  flags: readonly string[] = ['--write'],
): StdioClientTransport {
  const dataDir = longLivedFolder();
  mkdirSync(dataDir, { recursive: true });
  const credentials = {
    url: instance.url,
    api_key: 'rcl_operator_of_nobody',
    agent_api_key: readingKey,
    agent_write_api_key: writingKey,
  };
  writeFileSync(path.join(dataDir, 'credentials.json'), JSON.stringify(credentials));
  return new StdioClientTransport({
    command: process.execPath,
    args: [CLI, 'mcp', ...flags, '--data-dir', dataDir],
    env: { HOME: dataDir, ...environment },
    cwd: dataDir,
    stderr: 'pipe',
  });
}

/** Connects the official client, has it do something, and leaves. */
async function using<Result>(
  transport: StreamableHTTPClientTransport | StdioClientTransport,
  work: (call: (name: string, input: object) => Promise<ToolAnswer>, client: Client) => Promise<Result>,
  options: ConstructorParameters<typeof Client>[1] = {},
): Promise<Result> {
  const client = new Client({ name: 'test', version: '1.0.0' }, options);
  await client.connect(transport);
  try {
    return await work(
      async (name, input) => answerOf(await client.callTool({ name, arguments: { ...input } })),
      client,
    );
  } finally {
    await client.close();
  }
}

test('over stdio memory is read-only, unless writing was requested', async () => {
  await using(overStdio({}, []), async (call, client) => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['search', 'timeline', 'get', 'context']);
    expect(client.getInstructions()).not.toContain('remember');
    expect((await call('search', { q: 'anything' })).isError).toBe(false);
    await expect(call('remember', { content: 'planted' })).rejects.toThrow('remember');
  });
});

describe('the official client', () => {
  test.each([
    ['over stdio', () => overStdio(), {}],
    ['over stdio, of the newer protocol', () => overStdio(), NEWER],
    ['over HTTP', () => overHttp(instance.admin.key), {}],
    ['over HTTP, of the newer protocol', () => overHttp(instance.admin.key, '/api/v1/mcp'), NEWER],
  ])('%s, remembers, finds, reads, looks around and forgets', async (name, transport, options) => {
    await using(
      transport(),
      async (call, client) => {
        expect((await client.listTools()).tools).toHaveLength(6);
        expect(client.getServerVersion()).toMatchObject({ name: 'recollect' });
        const content = `The quokka service ${name} stores its sessions in Redis, because cookies were too large.`;
        const { hash } = stored.parse((await call('remember', { content, tags: ['quokka'] })).json);
        expect(stored.parse((await call('remember', { content })).json).hash).toBe(hash);
        const found = await until(async () => {
          const { json } = await call('search', { q: `quokka ${name}`, tags: ['quokka'] });
          // On a busy machine the first search may be late.
          return listed.safeParse(json).data?.data.find((memory) => memory.hash === hash);
        });
        expect(found.preview).toContain('quokka');
        const unknown = { q: 'zebra quantum cooking' };
        await untilTrue(async () => {
          const { json } = await call('search', { ...unknown, nearest: true });
          return (listed.safeParse(json).data?.data.length ?? 0) > 0;
        });
        expect((await call('search', unknown)).json).toEqual({ data: [], nothing_fits: true });
        const full = await call('get', { hashes: [hash, 'aaaaaaaa'] });
        expect(full.json).toMatchObject({ data: [{ hash, content, type: 'learning' }], missing: ['aaaaaaaa'] });
        expect((await call('timeline', { anchor: hash, before: 2 })).json).toMatchObject({ anchor: { hash } });
        const context = await call('context', { prompt: `Where does the quokka service ${name} keep its sessions?` });
        expect(context.isError).toBe(false);
        expect((await call('forget', { hashes: [hash] })).json).toEqual({ forgotten: [hash] });
        expect((await call('get', { hashes: [hash] })).json).toEqual({ data: [], missing: [hash] });
      },
      options,
    );
  });

  test('finds five in at most 385 tokens', async () => {
    const encoding = get_encoding('o200k_base');
    const facts = Array.from({ length: 8 }, (_, n) => ({
      title: `Wombat decision ${n}`,
      content: `Wombat fact ${n}: ${'the parser of currency codes refuses what ISO 4217 does not list, and logs it. '.repeat(9)}`,
      tags: ['wombat', `part-${n}`, 'decision', 'money'],
    }));
    const answer = await instance.call('POST', '/memories/batch', { body: { memories: facts } });
    expect(answer.status).toBe(200);
    const { text } = await using(overHttp(instance.admin.key), (call) =>
      until(async () => {
        const found = await call('search', { q: 'wombat parser of currency codes', limit: 5 });
        return listed.safeParse(found.json).data?.data.length === 5 ? found : undefined;
      }, 60_000),
    );
    const tokens = encoding.encode(text).length;
    encoding.free();
    expect(tokens).toBeLessThanOrEqual(385);
  });
});

describe('a key may do by MCP what it may do by HTTP', () => {
  test('without read it cannot search, without write it cannot remember, and reports which scope it lacks', async () => {
    await using(overHttp(await userKey('user', ['write'])), async (call) => {
      const { hash } = stored.parse((await call('remember', { content: 'Written by a key that cannot read.' })).json);
      expect(hash).toMatch(/^[a-z2-7]{8}$/);
      for (const [tool, input] of [
        ['search', { q: 'x' }],
        ['get', { hashes: [hash] }],
        ['timeline', { anchor: hash }],
        ['context', { prompt: 'x' }],
      ] as const)
        expect(await call(tool, input)).toMatchObject({
          isError: true,
          json: { code: 'FORBIDDEN', error: expect.stringContaining('read') },
        });
    });
    await using(overHttp(await userKey('user', ['read'])), async (call) => {
      expect((await call('search', { q: 'x' })).isError).toBe(false);
      expect(await call('remember', { content: 'x' })).toMatchObject({ isError: true, json: { code: 'FORBIDDEN' } });
    });
  });

  test('a viewer looks and changes nothing', async () => {
    await using(overHttp(await userKey('viewer', ['read', 'write'])), async (call) => {
      expect((await call('search', { q: 'x' })).isError).toBe(false);
      for (const [tool, input] of [
        ['remember', { content: 'x' }],
        ['forget', { hashes: ['aaaaaaaa'] }],
      ] as const)
        expect(await call(tool, input)).toMatchObject({ isError: true, json: { code: 'FORBIDDEN' } });
    });
  });

  test('another tenant’s memories are not there', async () => {
    const { hash } = await using(overHttp(instance.admin.key), async (call) =>
      stored.parse((await call('remember', { content: 'What only this tenant knows of the numbat.' })).json),
    );
    const stranger = await instance.stranger({ role: 'admin' });
    await using(overHttp(stranger.key), async (call) => {
      expect((await call('get', { hashes: [hash] })).json).toEqual({ data: [], missing: [hash] });
      expect(await call('forget', { hashes: [hash] })).toMatchObject({ isError: true, json: { missing: [hash] } });
    });
  });
});

describe('/mcp refuses', () => {
  const INITIALIZE = {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
  };
  const ask = (method: string, headers: Record<string, string> = {}, body: string | null = null) =>
    fetch(`${instance.url}/mcp`, {
      method,
      body,
      headers: {
        authorization: `Bearer ${instance.admin.key}`,
        accept: 'application/json, text/event-stream',
        ...(body === null ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
    });
  const initialize = (headers: Record<string, string> = {}) => ask('POST', headers, JSON.stringify(INITIALIZE));

  test.each<[string, () => Promise<Response>, number]>([
    ['a request without a key', () => initialize({ authorization: '' }), 401],
    ['a wrong key', () => initialize({ authorization: 'Bearer rcl_nobody_knows_this' }), 401],
    ['a page of another site', () => initialize({ origin: 'https://evil.example' }), 403],
    ['a page that is rebound to this address', () => initialize({ origin: 'http://evil.example:37700' }), 403],
    ['a page of no origin', () => initialize({ origin: 'null' }), 403],
    ['a stream for a session', () => ask('GET'), 405],
    ['the end of a session', () => ask('DELETE'), 405],
    ['another method', () => ask('PUT', {}, '{}'), 405],
    ['what is no JSON', () => ask('POST', {}, '{"jsonrpc":'), 400],
    ['what is no message', () => ask('POST', {}, '{"a":1}'), 400],
    ['several messages at once', () => ask('POST', {}, JSON.stringify([INITIALIZE])), 422],
    ['another type', () => ask('POST', { 'content-type': 'text/plain' }, '{}'), 415],
    ['an answer in a form that it does not write', () => initialize({ accept: 'text/html' }), 406],
    ['a body beyond 512 KiB', () => ask('POST', {}, JSON.stringify({ ...INITIALIZE, x: 'x'.repeat(600_000) })), 413],
  ])('%s', async (_name, request, status) => {
    const response = await request();
    expect([response.status, response.headers.get('x-request-id') !== null]).toEqual([status, true]);
    await response.text();
  });

  test('and takes programs, and pages of this machine', async () => {
    for (const headers of [{}, { origin: 'http://localhost:6274' }]) {
      const response = await initialize(headers);
      expect(response.status).toBe(200);
      expect(await response.text()).toContain('"name":"recollect"');
      expect(response.headers.get('mcp-session-id')).toBeNull();
    }
  });
});

test('over stdio without a server each tool reports it, and nothing but messages is written', async () => {
  const environment = { RECOLLECT_URL: 'http://127.0.0.1:9', RECOLLECT_API_KEY: 'key-of-a-test' };
  await using(overStdio(environment), async (call) => {
    expect(await call('search', { q: 'x' })).toMatchObject({ isError: true, json: { code: 'UNREACHABLE' } });
  });
});
