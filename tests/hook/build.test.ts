import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildModule, hookClientFiles } from '../../infra/build/hook-client.ts';
import { buildClient, makeDataDir, removeDataDir, spoolLines } from './support/client.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..');

describe('the build of one source', () => {
  it('turns imports and exports into those of a plain script', () => {
    const { code, now, later } = buildModule(
      'hook/spool/x.ts',
      `import * as net from 'node:net';
import { a as b, type C } from '../y.ts';
import type { D } from './z.ts';
export const one: number = 1;
export async function two(c: C): Promise<D> { return (await import('./w.ts')).w(b, c, net); }
class Hidden {}
export class Three extends Hidden {}
`,
    );
    expect(now).toEqual(['hook/y.ts']);
    expect(later).toEqual(['hook/spool/w.ts']);
    expect(code).toContain("const net = require('node:net');");
    expect(code).toMatch(/const \{ a: b,\s*\} = take\('hook\/y\.ts'\);/);
    for (const name of ['one', 'two', 'Three']) expect(code).toContain(`get ${name}() { return ${name}; }`);
    expect(code).not.toMatch(/^(?:import|export)\b/m);
    expect(code).not.toContain('z.ts');
  });

  it.each([
    'export default 7;\n',
    "export * from './y.ts';\n",
    "export { y } from './y.ts';\n",
    "import './y.ts';\n",
    "const x = await import('some-package');\n",
  ])('refuses what it does not know: %j', (source) => {
    expect(() => buildModule('hook/x.ts', source)).toThrow('hook/x.ts');
  });
});

describe('the client', () => {
  it('loads redaction, the spool and git only if needed', () => {
    const { client, later } = hookClientFiles();
    for (const cold of [
      'domain/redaction/redact.ts',
      'hook/spool/append.ts',
      'hook/project/facts.ts',
      'hook/sender.ts',
    ]) {
      expect(client).not.toContain(`"${cold}"(`);
      expect(later).toContain(`"${cold}"(`);
    }
    for (const slow of ['node:http', 'node:https', 'node:crypto', 'node:child_process', 'node:os'])
      expect(client).not.toContain(`require('${slow}')`);
    expect(client.length).toBeLessThan(60_000);
  });

  it('is the same however often it is built', () => {
    expect(hookClientFiles()).toEqual(hookClientFiles());
    const built = buildClient();
    expect(readFileSync(built, 'utf8')).toBe(hookClientFiles().client);
  });

  it.each([
    ['recollect hook', [path.join(ROOT, 'cli', 'bin.mjs'), 'hook', 'PreToolUse']],
    ['node cli/main.ts hook', [path.join(ROOT, 'cli', 'main.ts'), 'hook', 'PreToolUse']],
    ['recollect hook, of no event', [path.join(ROOT, 'cli', 'bin.mjs'), 'hook', 'no/event', '--unknown']],
  ])('runs as %s', (_name, words) => {
    buildClient();
    const dataDir = makeDataDir(null);
    try {
      const run = spawnSync(process.execPath, words, {
        input: '{"session_id":"s"}',
        encoding: 'utf8',
        env: { RECOLLECT_DATA_DIR: dataDir },
      });
      expect(run).toMatchObject({ status: 0, stdout: '', stderr: '' });
    } finally {
      removeDataDir(dataDir);
    }
  });

  it.each([
    [['sessionStart', '--host', 'cursor']],
    [['--host', 'cursor', 'sessionStart']],
    [['--host=cursor', 'sessionStart', '--namespace', 'a b']],
    [['--unknown', 'sessionStart', '--host', 'cursor']],
  ])('runs as it was built, whatever the order: recollect hook %j', (words) => {
    buildClient();
    const dataDir = makeDataDir(null);
    try {
      // This Node cannot load any other file of Recollect.
      const flags = ['--no-experimental-strip-types', path.join(ROOT, 'cli', 'bin.mjs'), 'hook'];
      const run = spawnSync(process.execPath, [...flags, ...words], {
        input: '{"conversation_id":"s"}',
        encoding: 'utf8',
        env: { RECOLLECT_DATA_DIR: dataDir },
      });
      expect(run).toMatchObject({ status: 0, stdout: '', stderr: '' });
      expect(spoolLines(dataDir)).toMatchObject([{ event: 'sessionStart', host: 'cursor' }]);
    } finally {
      removeDataDir(dataDir);
    }
  });

  it.each([[['--help']], [['-h']], [['Stop', '--help']]])('shows its help as any command: %j', (words) => {
    const all = [path.join(ROOT, 'cli', 'bin.mjs'), 'hook', ...words];
    expect(execFileSync(process.execPath, all, { encoding: 'utf8' })).toContain('recollect hook');
  });
});
