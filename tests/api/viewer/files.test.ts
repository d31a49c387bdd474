import { hash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fileInstance } from '../../setup/file-instance.ts';
import { startSecondApi } from '../support/second-api.ts';
import type { SecondApi } from '../support/second-api.ts';

const instance = fileInstance();
const folder = mkdtempSync(path.join(tmpdir(), 'recollect-viewer-'));
const THEME = "document.documentElement.dataset.theme = localStorage.getItem('theme') ?? 'light';\n";
const SCRIPT = 'export const page = 1;\n'.repeat(100);
const PAGE = `<!doctype html><html><head><script>${THEME}</script><script type="module" src="/assets/main-a1b2c3d4.js"></script></head></html>`;
let served: SecondApi;
let unbuilt: SecondApi;

beforeAll(async () => {
  mkdirSync(path.join(folder, 'assets'));
  writeFileSync(path.join(folder, 'index.html'), PAGE);
  writeFileSync(path.join(folder, 'secret.txt'), 'outside of assets');
  const file = path.join(folder, 'assets', 'main-a1b2c3d4.js');
  writeFileSync(file, SCRIPT);
  writeFileSync(`${file}.br`, brotliCompressSync(SCRIPT));
  writeFileSync(`${file}.gz`, gzipSync(SCRIPT));
  served = await startSecondApi(instance, { viewerFolder: folder });
  unbuilt = await startSecondApi(instance, { viewerFolder: path.join(folder, 'none') });
});
afterAll(async () => {
  await served.close();
  await unbuilt.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Sends a request as it is: fetch would normalise the path and set headers of its own. */
function get(
  address: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
  url = served.url,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const outgoing = request({ hostname, port, path: address, method, headers, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () =>
        resolve({
          status: response.statusCode,
          headers: response.headers,
          body: Buffer.concat(parts).toString('latin1'),
        }),
      );
    });
    outgoing.on('error', reject).end();
  });
}
const PAGES = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

test('GET / returns the viewer under a policy that allows its own files and its one inline script', async () => {
  const { status, headers, body } = await get('/');
  expect([status, headers['content-type'], headers['cache-control'], body]).toEqual([
    200,
    'text/html; charset=utf-8',
    'no-cache',
    PAGE,
  ]);
  expect(headers['content-security-policy']).toBe(
    `default-src 'none'; script-src 'self' 'sha256-${hash('sha256', THEME, 'base64')}'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'`,
  );
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'x-frame-options': 'SAMEORIGIN',
  });
  // By plain HTTP a browser would upgrade, and find nothing.
  expect(JSON.stringify(headers)).not.toMatch(
    /upgrade-insecure-requests|strict-transport-security|report-uri|report-to/i,
  );
});

test.each([
  ['br', 'br'],
  ['gzip', 'gzip'],
  ['gzip, deflate, br', 'br'],
  ['identity', undefined],
])('a file for a browser that accepts %s is compressed by %s, and final', async (accepted, encoding) => {
  const { status, headers } = await get('/assets/main-a1b2c3d4.js', { 'accept-encoding': accepted });
  expect([status, headers['content-encoding'], headers['cache-control'], headers['vary']]).toEqual([
    200,
    encoding,
    'public, max-age=31536000, immutable',
    expect.stringContaining('accept-encoding'),
  ]);
  expect(headers['content-type']).toMatch(/^(?:text|application)\/javascript/);
});

test('a missing file, and a path out of the folder, is an error and no page', async () => {
  for (const address of [
    '/assets/main-00000000.js',
    '/assets/',
    '/assets/..%2fsecret.txt',
    '/assets/../secret.txt',
    '/assets/%2e%2e/secret.txt',
    '/assets/.htaccess',
    '/secret.txt',
    '/index.html',
  ]) {
    const { status, body } = await get(address);
    expect([address, status, body.includes('outside of assets')]).toEqual([address, 404, false]);
  }
  // A chunk of an older build, as a browser requests it.
  expect((await get('/assets/page-00000000.js', { accept: '*/*' })).headers['content-type']).toMatch(
    /^application\/json/,
  );
  expect((await get('/assets/page-00000000.js', PAGES)).status).toBe(404);
});

test('an address of a page returns the viewer to a browser, and nothing else does', async () => {
  for (const address of ['/sessions', '/sessions/claude-code%3Aone?tab=prompts', '/search?q=x', '/learnings/a.b'])
    expect([address, (await get(address, PAGES)).body]).toEqual([address, PAGE]);
  expect((await get('/sessions', PAGES, 'HEAD')).status).toBe(200);
  for (const address of [
    '/api/v1/unknown',
    '/api/v1',
    '/mcp/unknown',
    '/docs/unknown',
    '/oauth/unknown',
    '/.well-known/unknown',
    '/health/unknown',
    '/metrics/unknown',
  ])
    expect([address, (await get(address, PAGES)).status, (await get(address, PAGES)).body.includes('<html>')]).toEqual([
      address,
      404,
      false,
    ]);
  expect((await get('/favicon.ico', { accept: 'image/avif,image/*,*/*;q=0.8' })).status).toBe(404);
  expect([(await get('/sessions', PAGES, 'POST')).status, (await get('/', PAGES, 'POST')).status]).toEqual([404, 405]);
});

test('the page remains that of the start of the process when the viewer is built again', async () => {
  const index = path.join(folder, 'index.html');
  writeFileSync(index, PAGE.replace('light', 'dark'));
  try {
    expect((await get('/')).body).toBe(PAGE);
  } finally {
    writeFileSync(index, PAGE);
  }
});

test('a page under a name that is not the server’s is refused', async () => {
  for (const address of ['/', '/sessions', '/assets/main-a1b2c3d4.js'])
    expect([address, (await get(address, { ...PAGES, host: 'rebound.example.org' })).status]).toEqual([address, 421]);
});

test('GET / names the command that builds the viewer where there is none', async () => {
  const { status, body } = await get('/', PAGES, 'GET', unbuilt.url);
  expect([status, body]).toEqual([501, expect.stringContaining('npm run viewer:build')]);
});
