import { describe, expect, test } from 'vitest';
import { runCli } from '../support/run-cli.ts';
import { Home, KEY, URL_HERE } from './support/home.ts';

describe('Cursor', () => {
  test('gets commands beside other programs’ and the required version', async () => {
    const home = new Home();
    const before = '{"hooks": {"stop": [{"command": "./mine.sh", "loop_limit": 3}]}}';
    home.write('.cursor/hooks.json', before);
    const { code, out } = await home.run('install', 'cursor');
    expect(code).toBe(0);
    expect(out).toContain(`Cursor sends 11 hooks to ${URL_HERE}.`);
    const file = home.json('.cursor/hooks.json') as { version: number; hooks: Record<string, { command: string }[]> };
    expect(file.version).toBe(1);
    expect(file.hooks['stop']).toEqual([
      { command: './mine.sh', loop_limit: 3 },
      { command: expect.stringMatching(/client\.cjs stop --host cursor --data-dir /), timeout: 5 },
    ]);
    // Both would report one call twice.
    expect(Object.keys(file.hooks)).toContain('postToolUse');
    expect(Object.keys(file.hooks)).not.toContain('afterShellExecution');
    expect(home.read('.cursor/hooks.json')).not.toContain(KEY);
    expect((await home.run('install', 'cursor')).out).toContain('Nothing to change');
    await home.run('uninstall', 'cursor');
    expect(home.json('.cursor/hooks.json')).toEqual({ ...(JSON.parse(before) as object), version: 1 });
  });

  test('of a project has its own file, which uninstall removes if nothing else is in it', async () => {
    const home = new Home();
    await home.run('install', 'cursor', '--project', home.path('p'));
    expect(home.list('p/.cursor')).toEqual(['hooks.json']);
    await home.run('install', 'cursor', '--project', home.path('p'), '--namespace', 'n');
    await home.run('uninstall', 'cursor', '--project', home.path('p'));
    expect(home.list('p/.cursor').filter((name) => name === 'hooks.json')).toEqual([]);
  });
});

describe('Codex CLI', () => {
  test('gets commands in groups, and prints that the user must trust them', async () => {
    const home = new Home();
    const { out } = await home.run('install', 'codex-cli');
    expect(out).toContain('trust the new hooks');
    const file = home.json('.codex/hooks.json') as { hooks: Record<string, unknown> };
    // Newer versions reject a file with an unknown field beside hooks.
    expect(Object.keys(file)).toEqual(['hooks']);
    expect(file.hooks['PostToolUse']).toEqual([
      {
        hooks: [
          {
            type: 'command',
            command: expect.stringMatching(/client\.cjs PostToolUse --host codex-cli --data-dir /),
            timeout: 5,
          },
        ],
      },
    ]);
    await home.run('uninstall', 'codex-cli');
    expect(home.list('.codex')).toEqual([]);
  });

  test('uses the folder of CODEX_HOME', async () => {
    const home = new Home();
    const other = new Home({ url: URL_HERE, agent_api_key: KEY }, { CODEX_HOME: home.path('codex') });
    await other.run('install', 'codex-cli');
    expect(home.list('codex')).toEqual(['hooks.json']);
  });
});

test('agents that only run commands reject HTTP hooks', async () => {
  const home = new Home();
  const { code, err } = await home.run('install', 'cursor', '--transport', 'http');
  expect(code).toBe(1);
  expect(err).toContain('Cursor supports command hooks only');
});

test.each([
  [
    ['install', 'notepad'],
    'Allowed choices are claude-code, codex-cli, cursor, gemini-cli, opencode, windsurf, cline.',
  ],
  [['uninstall'], "missing required argument 'agent'"],
  [['install', 'cursor', '--namespace', 'a b'], 'Expected 1 to 128 letters'],
  [['install', 'cursor', '--transport', 'pigeon'], 'Allowed choices are http, client'],
  [['install', 'claude-code', '--user', '--project'], "'--user' cannot be used with option '--project [folder]'"],
])('rejects %j with a reason', async (args, reason) => {
  const { exitCode, output } = await runCli(args, { HOME: new Home().folder }).ended;
  expect(exitCode).toBe(1);
  expect(output).toContain(reason);
});
