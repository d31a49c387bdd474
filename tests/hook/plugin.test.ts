import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseArguments } from '../../hook/arguments.ts';
import { adoptPluginOptions, claudeSettingsFiles, hookEnvironment, mcpServerPlace } from '../../hook/environment.ts';
import { hasInstalledHook } from '../../hook/own-hooks.ts';
import { memoryKeyFor } from '../../hook/target.ts';
import { testFolder } from '../infra/support/folder.ts';

describe('options of the plugin', () => {
  const adopted = (environment: Record<string, string>) => {
    const all: Record<string, string | undefined> = { HOME: '/home/me', ...environment };
    adoptPluginOptions(all);
    const { RECOLLECT_URL, RECOLLECT_API_KEY, RECOLLECT_DATA_DIR } = all;
    return [RECOLLECT_URL, RECOLLECT_API_KEY, RECOLLECT_DATA_DIR];
  };

  it('come before the environment', () => {
    expect(
      adopted({
        RECOLLECT_URL: 'http://other',
        RECOLLECT_API_KEY: 'rcl_other',
        RECOLLECT_DATA_DIR: '/other',
        CLAUDE_PLUGIN_OPTION_SERVER_URL: 'https://memory.example.org',
        CLAUDE_PLUGIN_OPTION_API_KEY: ' rcl_key ',
        CLAUDE_PLUGIN_OPTION_DATA_DIR: '/data',
      }),
    ).toEqual(['https://memory.example.org', 'rcl_key', '/data']);
  });

  it('leave the environment unchanged if they are absent or empty', () => {
    const environment = { RECOLLECT_URL: 'http://other', RECOLLECT_API_KEY: 'rcl_other', RECOLLECT_DATA_DIR: '/other' };
    expect(adopted(environment)).toEqual(['http://other', 'rcl_other', '/other']);
    expect(adopted({ CLAUDE_PLUGIN_OPTION_API_KEY: ' ', CLAUDE_PLUGIN_OPTION_DATA_DIR: '' })).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('name this machine’s server with a key alone, and no server without a key', () => {
    expect(adopted({ CLAUDE_PLUGIN_OPTION_API_KEY: 'rcl_key' })).toEqual([
      'http://127.0.0.1:37700',
      'rcl_key',
      undefined,
    ]);
    expect(adopted({ CLAUDE_PLUGIN_OPTION_SERVER_URL: 'https://memory.example.org' })).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it.each([
    ['~/memory', '/home/me/memory'],
    ['~', '/home/me'],
    ['memory', '/home/me/memory'],
    ['/data', '/data'],
  ])('the data directory %s is never in the agent’s folder', (given, folder) => {
    expect(adopted({ CLAUDE_PLUGIN_OPTION_DATA_DIR: given })[2]).toBe(folder);
  });

  it('apply with --plugin only', () => {
    expect(parseArguments(['Stop', '--plugin'])).toMatchObject({ event: 'Stop', isPlugin: true });
    expect(parseArguments(['Stop'])).toMatchObject({ isPlugin: false });
  });
});

describe('the MCP server of the plugin', () => {
  const placeOf = (address: string) => mcpServerPlace({ HOME: '/home/me', CLAUDE_CODE_MCP_SERVER_URL: address });

  it.each([
    ['http://127.0.0.1:37700/mcp', 'http://127.0.0.1:37700', '/home/me/.recollect'],
    ['http://127.0.0.1:37700/mcp#', 'http://127.0.0.1:37700', '/home/me/.recollect'],
    ['https://example.org/memory//mcp#/data/my%20folder', 'https://example.org/memory', '/data/my folder'],
    ['http://[::1]:37700/mcp#~/memory', 'http://[::1]:37700', '/home/me/memory'],
  ])('%s has an address and a data directory', (address, url, dataDir) => {
    expect(placeOf(address)).toEqual({ url, dataDir });
  });

  it('is unknown without a valid address', () => {
    expect(placeOf('')).toBeNull();
    expect(placeOf('/mcp')).toBeNull();
    expect(placeOf('http://127.0.0.1:37700/mcp#%')).toBeNull();
  });

  it('gets the key for its address only, never the operator’s', () => {
    const folder = testFolder();
    const keys = { api_key: 'rcl_operator', agent_api_key: 'rcl_agent', agent_write_api_key: 'rcl_write' };
    writeFileSync(path.join(folder, 'client.json'), JSON.stringify({ url: 'https://a.example/', api_key: 'rcl_a' }));
    writeFileSync(path.join(folder, 'credentials.json'), JSON.stringify({ url: 'http://127.0.0.1:1', ...keys }));
    const environment = { RECOLLECT_URL: 'http://b.example', RECOLLECT_API_KEY: 'rcl_b' };
    const keyFor = (url: string) => memoryKeyFor(url, folder, hookEnvironment(environment));
    expect(keyFor('https://a.example')).toBe('rcl_a');
    expect(keyFor('http://127.0.0.1:1')).toBe('rcl_write');
    expect(keyFor('http://b.example')).toBe('rcl_b');
    for (const other of ['http://a.example', 'https://a.example:8443', 'https://a.example/b', 'http://127.0.0.1:2'])
      expect(keyFor(other)).toBeNull();
    writeFileSync(
      path.join(folder, 'credentials.json'),
      JSON.stringify({ url: 'http://127.0.0.1:1', api_key: 'rcl_op' }),
    );
    expect(keyFor('http://127.0.0.1:1')).toBeNull();
  });
});

describe('hooks of install', () => {
  let home = '';
  let program = '';

  beforeEach(() => {
    home = testFolder();
    program = path.join(home, "it's", 'client', '0.1.0', 'client.cjs');
    mkdirSync(path.dirname(program), { recursive: true });
    writeFileSync(program, '');
  });

  const command = (client: string) =>
    `${process.execPath} '${client.replace("'", String.raw`'\''`)}' Stop --data-dir /d`;
  const has = (text: string) => {
    const settings = path.join(home, 'settings.json');
    writeFileSync(settings, text);
    return hasInstalledHook([path.join(home, 'missing.json'), settings], 'Stop');
  };
  const hooks = (hook: object, event = 'Stop') => JSON.stringify({ hooks: { [event]: [{ hooks: [hook] }] } });

  it('are found by their event', () => {
    expect(has(hooks({ type: 'command', command: command(program) }))).toBe(true);
    expect(has(`\uFEFF${hooks({ type: 'command', command: command(program) })}`)).toBe(true);
    expect(has(hooks({ type: 'command', command: command(program) }, 'SessionEnd'))).toBe(false);
    const http = { type: 'http', url: 'http://127.0.0.1:1/api/v1/hooks/Stop', headers: { A: '$RECOLLECT_API_KEY' } };
    expect(has(hooks(http))).toBe(true);
  });

  it('do not count if their client is not on this machine, or is not Recollect’s', () => {
    expect(has(hooks({ type: 'command', command: command('/other/machine/client/0.1.0/client.cjs') }))).toBe(false);
    expect(has(hooks({ type: 'command', command: command('client/0.1.0/client.cjs') }))).toBe(false);
    expect(has(hooks({ type: 'command', command: './mine.sh' }))).toBe(false);
  });

  it.each(['', '{', '[]', '{"hooks": []}', '{"hooks": {"Stop": {}}}', '{"hooks": {"Stop": [null, {"hooks": 7}]}}'])(
    'are not in %j',
    (text) => {
      expect(has(text)).toBe(false);
    },
  );

  it('are not in a FIFO, which would block the reader', () => {
    const fifo = path.join(home, 'fifo');
    execFileSync('mkfifo', [fifo]);
    expect(hasInstalledHook([fifo, home], 'Stop')).toBe(false);
  });

  it('do not count in a file beyond the limit of 4 MiB', () => {
    const own = hooks({ type: 'command', command: command(program) });
    expect(has(own + ' '.repeat(4 * 1024 * 1024 - own.length))).toBe(true);
    expect(has(own + ' '.repeat(4 * 1024 * 1024 - own.length + 1))).toBe(false);
  });

  it('are in the settings of the user, the project and the machine’s part of it', () => {
    expect(claudeSettingsFiles({ HOME: '/h', CLAUDE_PROJECT_DIR: '/p' })).toEqual([
      '/h/.claude/settings.json',
      '/p/.claude/settings.json',
      '/p/.claude/settings.local.json',
    ]);
    expect(claudeSettingsFiles({ HOME: '/h', CLAUDE_CONFIG_DIR: '/c' })).toEqual(['/c/settings.json']);
  });
});
