import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { typedClientFiles } from '../../infra/build/typed-client.ts';
import { processEnvironment } from '../../config/process-environment.ts';
import { scriptedServer } from './support/scripted-server.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..');
const run = promisify(execFile);

/** A Node outside this package, where the machine has one: an older one than the tests run on. */
const OTHER_NODE = (processEnvironment()['PATH'] ?? '')
  .split(path.delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .map((folder) => path.join(folder, 'node'))
  .find((file) => existsSync(file));

/** As strict as they come, without a word of Node. */
const TYPESCRIPT_OPTIONS =
  '--noEmit --strict --exactOptionalPropertyTypes --allowImportingTsExtensions --module nodenext --target es2023 --lib es2023,dom --types'
    .split(' ')
    .concat('');

/** A folder with a program that has this package among its dependencies. */
function program(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'recollect-client-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(path.join(folder, 'node_modules'));
  symlinkSync(ROOT, path.join(folder, 'node_modules', 'recollect'));
  for (const [name, text] of Object.entries({ 'package.json': '{"type":"module"}', ...files }))
    writeFileSync(path.join(folder, name), text);
  return folder;
}

const USE = `
import { RecollectClient, RecollectError } from 'recollect/client';
const client = new RecollectClient({ url: process.argv[2], apiKey: 'key-of-a-test' });
const found = [];
for await (const { id } of client.searchIter('x', { limit: 2 })) found.push(id);
const refused = await client.get('none').catch((error) => error);
process.stdout.write(JSON.stringify({ found, refused: [refused instanceof RecollectError, refused.code, refused.status] }));
`;

/** Runs the built modules in a realm that has the language and what browsers and Node share, and nothing else. */
const BROWSER_USE = `
import { readFileSync } from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';
const [folder, url] = process.argv.slice(2);
const { fetch, AbortController, AbortSignal, URL, URLSearchParams, Headers, Response, setTimeout, clearTimeout } = globalThis;
const realm = vm.createContext({ fetch, AbortController, AbortSignal, URL, URLSearchParams, Headers, Response, setTimeout, clearTimeout });
const modules = new Map();
const load = (name) => {
  if (!modules.has(name)) modules.set(name, new vm.SourceTextModule(readFileSync(path.join(folder, name), 'utf8'), { identifier: name, context: realm }));
  return modules.get(name);
};
const link = (specifier) => {
  if (!specifier.startsWith('./')) throw new Error('imports ' + specifier);
  return load(specifier.slice(2));
};
const entry = load('index.js');
await entry.link(link);
await entry.evaluate();
const { RecollectClient } = entry.namespace;
const client = new RecollectClient({ url, apiKey: 'key-of-a-test' });
const found = [];
for await (const { id } of client.searchIter('x', { limit: 2 })) found.push(id);
const refused = await client.get('none').catch((error) => error);
const late = await client.store('x', { timeoutMs: 20 }).catch((error) => error);
process.stdout.write(JSON.stringify({ found, refused: refused.code, late: late.code, process: vm.runInContext('typeof process + typeof Buffer + typeof require', realm) }));
`;

function memoryServer() {
  return scriptedServer(({ method, url }) => {
    if (method === 'POST') return 'silence';
    const { pathname, searchParams } = new URL(url, 'http://x');
    if (pathname !== '/api/v1/search') return { status: 404, body: { error: 'no', code: 'NOT_FOUND', details: [] } };
    const isFirst = searchParams.get('offset') === '0';
    return {
      status: 200,
      body: { data: isFirst ? [{ id: '1' }, { id: '2' }] : [{ id: '3' }], pagination: { has_next: isFirst } },
    };
  });
}

describe('the built client', () => {
  test('is what the sources say', async () => {
    const files = await typedClientFiles();
    for (const [name, text] of files)
      expect(readFileSync(path.join(ROOT, 'client', 'built', name), 'utf8'), `${name}: npm run bundle`).toBe(text);
    for (const [name, text] of files)
      expect(text.match(/\bfrom\s+'(?!\.\/[\w-]+\.js')/), `${name} imports no package`).toBeNull();
  });

  test.each([
    ['this Node', process.execPath],
    ['another Node of this machine', OTHER_NODE],
  ])('is imported by its package’s name in %s', async (_name, node) => {
    if (node === undefined) return;
    const server = await memoryServer();
    const folder = program({ 'use.js': USE });
    const { stdout, stderr } = await run(node, ['use.js', server.url], { cwd: folder });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ found: ['1', '2', '3'], refused: [true, 'NOT_FOUND', 404] });
  });

  test('runs where there is nothing of Node', async () => {
    const server = await memoryServer();
    const folder = program({ 'use.js': BROWSER_USE });
    const { stdout } = await run(
      process.execPath,
      ['--experimental-vm-modules', '--no-warnings', 'use.js', path.join(ROOT, 'client', 'built'), server.url],
      { cwd: folder },
    );
    expect(JSON.parse(stdout)).toEqual({
      found: ['1', '2', '3'],
      refused: 'NOT_FOUND',
      late: 'TIMEOUT',
      process: 'undefinedundefinedundefined',
    });
  });

  test('declares the types of the sources to TypeScript', async () => {
    const good = `
import { RecollectClient, RecollectError, type Memory, type RecollectApi } from 'recollect/client';
import type { RecollectClient as Source } from './source/index.ts';
const client: RecollectApi = new RecollectClient({ url: '', apiKey: 'x', fetch });
declare const source: Source;
export const same: RecollectClient = source;
export async function titles(): Promise<string[]> {
  const found: Memory[] = [];
  for await (const memory of client.searchIter('x', { type: ['learning'] })) found.push(memory);
  const compact = await client.search('x', { format: 'compact' });
  const { hash } = await client.store({ content: 'x', tags: ['a'] });
  try {
    await client.remove(hash);
  } catch (error) {
    if (error instanceof RecollectError) return [error.code, String(error.retryAfterMs), compact.data[0]?.hash ?? ''];
  }
  return found.map(({ title }) => title);
}
`;
    const bad = `
import { RecollectClient } from 'recollect/client';
const client = new RecollectClient({ url: '' });
export const wrong: Promise<string> = client.store('x');
void client.search('x', { limit: 'many' });
`;
    const folder = program({ 'good.ts': good, 'bad.ts': bad });
    for (const [from, to] of [
      ['client', 'source'],
      ['contract', 'contract'],
      ['domain', 'domain'],
      ['node_modules/zod', 'node_modules/zod'],
    ] as const)
      symlinkSync(path.join(ROOT, from), path.join(folder, to));
    const output = await run(
      process.execPath,
      [path.join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), ...TYPESCRIPT_OPTIONS, 'good.ts', 'bad.ts'],
      { cwd: folder },
    ).then(
      () => '',
      (error: unknown) => (error as { stdout: string }).stdout,
    );
    // Sources that the contract imports need Node's types, which this program has not.
    expect(output.match(/^(?:good|bad|source\/[\w-]+)\.ts\(\d+/gm)).toEqual(['bad.ts(4', 'bad.ts(5']);
  });
});
