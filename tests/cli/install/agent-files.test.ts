import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { processEnvironment } from '../../../config/process-environment.ts';
import { HOSTS } from '../../../cli/install/hosts.ts';
import { HOOK_HOSTS } from '../../../domain/capture/hook-hosts.ts';
import { HOST_MAPPINGS } from '../../../api/intake/host-mappings.ts';
import { Home, KEY, URL_HERE } from './support/home.ts';

test('every agent that the api knows can be installed, with events that its mapping names', () => {
  expect(Object.keys(HOSTS)).toEqual(HOOK_HOSTS);
  for (const [host, { events }] of Object.entries(HOST_MAPPINGS))
    for (const event of HOSTS[host as keyof typeof HOST_MAPPINGS].events)
      expect({ host, event, isMapped: Object.hasOwn(events, event) }).toEqual({ host, event, isMapped: true });
});

test('Gemini CLI gets groups in its settings, with timeouts in milliseconds', async () => {
  const home = new Home();
  const before = '{\n  "ui": { "theme": "GitHub" }\n}\n';
  home.write('.gemini/settings.json', before);
  const { out } = await home.run('install', 'gemini-cli');
  expect(out).toContain(`Gemini CLI sends 6 hooks to ${URL_HERE}.`);
  const settings = home.json('.gemini/settings.json') as { hooks: Record<string, unknown>; ui: unknown };
  expect(settings.ui).toEqual({ theme: 'GitHub' });
  expect(settings.hooks['BeforeAgent']).toEqual([
    {
      hooks: [
        {
          type: 'command',
          command: expect.stringMatching(/client\.cjs BeforeAgent --host gemini-cli --data-dir /),
          name: 'recollect',
          timeout: 5000,
        },
      ],
    },
  ]);
  expect((await home.run('install', 'gemini-cli')).out).toContain('Nothing to change');
  await home.run('uninstall', 'gemini-cli');
  expect(home.read('.gemini/settings.json')).toBe(before);
});

test('Windsurf gets a flat list without output in its interface', async () => {
  const home = new Home();
  await home.run('install', 'windsurf', '--namespace', 'team');
  const file = home.json('.codeium/windsurf/hooks.json') as { hooks: Record<string, unknown> };
  expect(Object.keys(file)).toEqual(['hooks']);
  expect(file.hooks['pre_user_prompt']).toEqual([
    {
      command: expect.stringMatching(/client\.cjs pre_user_prompt --host windsurf --namespace team --data-dir /),
      show_output: false,
    },
  ]);
  await home.run('uninstall', 'windsurf');
  expect(home.list('.codeium/windsurf')).toEqual([]);
});

describe('Cline', () => {
  const FOLDER = 'Documents/Cline/Hooks';

  test('gets a script for each event, which never fails', async () => {
    const home = new Home();
    const { out } = await home.run('install', 'cline');
    expect(out).toContain('Cline sends 7 hooks');
    const events = [...HOSTS.cline.events].sort();
    expect(home.list(FOLDER)).toEqual(events);
    for (const event of events) expect(home.mode(`${FOLDER}/${event}`)).toBe(0o755);
    expect(home.read(`${FOLDER}/PostToolUse`)).not.toContain(KEY);
    const run = spawnSync(home.path(`${FOLDER}/PostToolUse`), {
      input: '{"taskId":"1"}',
      encoding: 'utf8',
      env: { PATH: processEnvironment()['PATH'], HOME: home.folder },
    });
    expect(run).toMatchObject({ status: 0, stdout: '', stderr: '' });
    // Cline cancels the task if a hook fails.
    home.write(
      `${FOLDER}/PostToolUse`,
      home.read(`${FOLDER}/PostToolUse`).replaceAll(process.execPath, '/nowhere/node'),
    );
    expect(spawnSync(home.path(`${FOLDER}/PostToolUse`), { input: '{}' }).status).toBe(0);
    await home.run('uninstall', 'cline');
    expect(home.list(FOLDER)).toEqual([]);
  });

  test('leaves a script of the user: nothing is written or removed', async () => {
    const home = new Home();
    home.write(`${FOLDER}/TaskCancel`, '#!/bin/sh\n');
    const { code, err } = await home.run('install', 'cline');
    expect(code).toBe(1);
    expect(err).toBe(
      `${home.path(`${FOLDER}/TaskCancel`)} is not of Recollect, and the agent runs one file of this name. Rename or merge it first; nothing was written.\n`,
    );
    expect((await home.run('uninstall', 'cline')).out).toContain('Nothing to change');
    expect(home.list(FOLDER)).toEqual(['TaskCancel']);
  });

  test('of a project has its own folder', async () => {
    const home = new Home();
    await home.run('install', 'cline', '--project', home.path('p'));
    expect(home.list('p/.clinerules/hooks')).toHaveLength(7);
  });
});

describe('opencode', () => {
  const FILE = '.config/opencode/plugins/recollect.js';

  test('gets a plugin, which a second installation updates in place', async () => {
    const home = new Home();
    const dry = await home.run('install', 'opencode', '--dry-run');
    expect(dry.out).toContain('opencode would send 9 events');
    expect(home.exists(FILE)).toBe(false);
    expect((await home.run('install', 'opencode')).out).toContain(`${home.path(FILE)}: created; 9 hooks\n`);
    expect(home.read(FILE)).not.toContain(KEY);
    expect((await home.run('install', 'opencode')).out).toContain('Nothing to change');
    expect((await home.run('install', 'opencode', '--namespace', 'team')).out).toContain(`${home.path(FILE)}: changed`);
    await home.run('uninstall', 'opencode');
    expect(home.list(path.dirname(FILE))).toEqual([]);
  });

  test('is found in XDG_CONFIG_HOME, and in a project', async () => {
    const home = new Home({ url: URL_HERE, agent_api_key: KEY });
    const other = new Home({ url: URL_HERE, agent_api_key: KEY }, { XDG_CONFIG_HOME: home.path('config') });
    await other.run('install', 'opencode');
    expect(home.list('config/opencode/plugins')).toEqual(['recollect.js']);
    await home.run('install', 'opencode', '--project', home.path('p'));
    expect(home.list('p/.opencode/plugins')).toEqual(['recollect.js']);
  });
});

test.each([
  ['gemini-cli', /^~\/\.gemini\/settings\.json:\n\{\n {2}"mcpServers"/],
  ['windsurf', /^~\/\.codeium\/windsurf\/mcp_config\.json:\n\{\n {2}"mcpServers"/],
  ['opencode', /^~\/\.config\/opencode\/opencode\.json:\n\{\n {2}"mcp"/],
  ['cline', /^cline_mcp_settings\.json, which Cline opens by MCP Servers, Configure:\n\{\n {2}"mcpServers"/],
])('prints the MCP server of %s', async (host, start) => {
  const home = new Home();
  const { out } = await home.run('install', host, '--mcp');
  expect(out).toMatch(start);
  expect(out).toContain('bin.mjs"');
});
