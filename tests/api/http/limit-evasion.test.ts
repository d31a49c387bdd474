import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fileInstance } from '../../setup/file-instance.ts';
import { startSecondApi } from '../support/second-api.ts';
import type { SecondApi } from '../support/second-api.ts';

const READS = 20;
const LOOKUPS = 160;

const instance = fileInstance({ RECOLLECT_RATE_READ: String(READS), RECOLLECT_RATE_UNKNOWN_KEYS: String(LOOKUPS) });
let second: SecondApi;

beforeAll(async () => {
  second = await startSecondApi(instance);
});
afterAll(() => second.close());

test('the open health checks probe the engines for concurrent requests together', async () => {
  const requests = Array.from({ length: 100 }, () => instance.get('/health', null));
  const answers = (await Promise.all(requests)).map(({ status, body }) => `${status} ${JSON.stringify(body)}`);
  // Answers of one check have the same latencies.
  expect(new Set(answers).size).toBeLessThan(50);
});

interface Spelling {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const TOOL = {
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'search', arguments: { q: 'anything' } },
};
const byTool: Spelling = {
  method: 'POST',
  path: '/api/v1/mcp',
  headers: {
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
    'mcp-protocol-version': '2025-06-18',
  },
  body: JSON.stringify(TOOL),
};
const PROJECTS = '/api/v1/projects';
/** Ways to send a request that a limiter by address, path or method might count anew; `n` differs each time. */
const SPELLINGS: readonly (readonly [string, (n: number) => Spelling])[] = [
  ['as documented', () => ({})],
  ['X-Forwarded-For', (n) => ({ headers: { 'x-forwarded-for': `192.0.2.${n % 250}` } })],
  ['X-Real-IP', (n) => ({ headers: { 'x-real-ip': `192.0.2.${n % 250}` } })],
  ['Forwarded', (n) => ({ headers: { forwarded: `for=192.0.2.${n % 250}` } })],
  ['CF-Connecting-IP', (n) => ({ headers: { 'cf-connecting-ip': `192.0.2.${n % 250}` } })],
  ['another request id', () => ({ headers: { 'x-request-id': randomUUID() } })],
  ['another method by a header', () => ({ headers: { 'x-http-method-override': 'POST' } })],
  ['HEAD', () => ({ method: 'HEAD' })],
  ['upper case in the path', () => ({ path: '/api/v1/PROJECTS' })],
  ['an escaped letter', () => ({ path: '/api/v1/%70rojects' })],
  ['a slash at the end', () => ({ path: `${PROJECTS}/` })],
  ['two slashes', () => ({ path: '//api/v1/projects' })],
  ['a query', (n) => ({ path: `${PROJECTS}?page=${(n % 9) + 1}` })],
  ['the redirect to the version', () => ({ path: '/api/projects' })],
  ['a tool of MCP', () => byTool],
];

async function send(url: string, key: string, { method = 'GET', path = PROJECTS, headers = {}, body }: Spelling) {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...headers },
    ...(body === undefined ? {} : { body }),
  });
  return { status: response.status, text: await response.text() };
}

/** Whether a request was served. A tool that was refused answers with an error in a response with 200. */
const isServed = ({ status, text }: Awaited<ReturnType<typeof send>>) =>
  status === 200 && !text.includes('"isError":true');

test('a user is served no more reads than the quota, whatever the spelling, by two processes', async () => {
  const { key } = await instance.user();
  const spellings = Array.from({ length: 4 * READS }, (_, n) => SPELLINGS[n % SPELLINGS.length]?.[1](n) ?? {});
  const answers = await Promise.all(
    spellings.map((spelling, n) => send(n % 2 === 0 ? instance.url : second.url, key, spelling)),
  );
  const served = answers.filter(isServed).length;
  expect(served).toBeGreaterThan(READS / 2);
  expect(served).toBeLessThanOrEqual(READS);
  expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThan(READS);
  const late: string[] = [];
  for (const [n, [what, spelling]] of SPELLINGS.entries())
    for (const url of [instance.url, second.url])
      if (isServed(await send(url, key, spelling(n)))) late.push(`${what}: served by ${url}`);
  expect(late).toEqual([]);
});

describe('an address that is no proxy’s has one quota of guesses in all processes, whatever headers it sends', () => {
  const token = JSON.stringify({ token: `rci_${'x'.repeat(43)}` });
  const invite: Spelling = { method: 'POST', headers: { 'content-type': 'application/json' }, body: token };

  test('of keys and of invites', async () => {
    const answers = await Promise.all(
      Array.from({ length: 2 * LOOKUPS }, (_, n) => {
        const guess = SPELLINGS[n % SPELLINGS.length]?.[1](n) ?? {};
        const spelling =
          n % 3 === 0
            ? { ...invite, path: '/api/v1/auth/invites/accept', headers: { ...guess.headers, ...invite.headers } }
            : n % 3 === 1
              ? { ...invite, path: '/api/auth/invites/accept' }
              : guess;
        return send(n % 2 === 0 ? instance.url : second.url, `rcl_guess_${randomUUID()}`, spelling);
      }),
    );
    // A path without a route is answered before any key is read.
    const tried = answers.filter(({ status, text }) => status === 401 || text.includes('token')).length;
    expect(tried).toBeLessThanOrEqual(LOOKUPS);
    expect(tried).toBeGreaterThan(0);
    expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThan(0);
  });
});
