import { describe, expect, test } from 'vitest';
import { checkAgents } from '../../../cli/doctor/agents.ts';
import { hasHooks } from '../../../cli/install/installed.ts';
import { Home, KEY, URL_HERE } from './support/home.ts';

const SETTINGS = '.claude/settings.json';
const enabled = (value: unknown = true) =>
  `${JSON.stringify({ model: 'opus', enabledPlugins: { 'recollect@here': value } }, null, 2)}\n`;

describe('with the plugin enabled', () => {
  test('install adds no hooks', async () => {
    const home = new Home();
    home.write(SETTINGS, enabled());
    const { code, out } = await home.run('install', 'claude-code');
    expect({ code, out }).toEqual({
      code: 0,
      out: 'The plugin recollect@here sends the hooks of Claude Code: install adds none beside it.\n',
    });
    expect(home.read(SETTINGS)).toBe(enabled());
    expect(hasHooks({ HOME: home.folder })).toBe(true);
  });

  test('install removes its earlier hooks and the key, and shows that before', async () => {
    const home = new Home();
    await home.run('install', 'claude-code', '--transport', 'http');
    const settings = home.json(SETTINGS) as object;
    const both = JSON.stringify({ ...settings, enabledPlugins: { 'recollect@here': true } });
    home.write(SETTINGS, both);
    const { out } = await home.run('install', 'claude-code', '--dry-run');
    expect(out).toContain('-');
    expect(out).not.toContain(KEY);
    expect(home.read(SETTINGS)).toBe(both);
    expect((await home.run('install', 'claude-code')).out).toContain(`${home.path(SETTINGS)}: changed\n`);
    expect(home.json(SETTINGS)).toEqual({ enabledPlugins: { 'recollect@here': true } });
  });

  test('install writes the server for it', async () => {
    const home = new Home(null);
    home.write(SETTINGS, enabled());
    home.write('key', KEY);
    const remote = ['--server', 'https://memory.example.org', '--api-key-file', home.path('key'), '--no-check'];
    await home.run('install', 'claude-code', ...remote, '--dry-run');
    expect(home.exists('.recollect/client.json')).toBe(false);
    const { out } = await home.run('install', 'claude-code', ...remote);
    expect(out).toContain('client.json: address and key of the client, readable by the owner only');
    expect(home.json('.recollect/client.json')).toEqual({ url: 'https://memory.example.org', api_key: KEY });
  });

  test.each([[['--transport', 'http']], [['--namespace', 'team']]])(
    'install rejects %j, which the plugin lacks',
    async (options) => {
      const home = new Home();
      home.write(SETTINGS, enabled());
      const { code, err } = await home.run('install', 'claude-code', ...options);
      expect(code).toBe(1);
      expect(err).toContain('run claude plugin disable recollect@here first. Nothing was written.');
      expect(home.read(SETTINGS)).toBe(enabled());
    },
  );

  test('install for a project removes the hooks there', async () => {
    const home = new Home();
    await home.run('install', 'claude-code', '--project', home.path('p'));
    home.write(SETTINGS, enabled());
    await home.run('install', 'claude-code', '--project', home.path('p'));
    expect(home.list('p/.claude')).toEqual([]);
  });
});

test.each([
  ['a disabled plugin', enabled(false), undefined],
  ['a plugin that the project disables', enabled(), enabled(false)],
  ['another plugin', enabled().replaceAll('recollect@', 'notes@'), undefined],
  ['an unknown value', enabled('yes'), undefined],
])('installs the hooks with %s', async (_what, user, project) => {
  const home = new Home();
  home.write(SETTINGS, user);
  if (project !== undefined) home.write('p/.claude/settings.json', project);
  const { out } = await home.run('install', 'claude-code', '--project', home.path('p'));
  expect(out).toContain(`Claude Code sends 13 hooks to ${URL_HERE}.`);
});

test('installs the hooks of other agents beside the plugin', async () => {
  const home = new Home();
  home.write(SETTINGS, enabled());
  expect((await home.run('install', 'cursor')).out).toContain('Cursor sends 11 hooks');
});

describe('doctor', () => {
  test('names the agents that are connected', async () => {
    const home = new Home();
    const found = () => checkAgents({ HOME: home.folder });
    expect(found()).toMatchObject({
      result: 'ok',
      what: 'agents',
      text: 'none sends hooks; recollect install adds them',
    });
    await home.run('install', 'cursor');
    await home.run('install', 'cline');
    expect(found()).toMatchObject({ result: 'ok', text: 'Cursor, Cline' });
    await home.run('install', 'claude-code');
    expect(found()).toMatchObject({ result: 'ok', text: 'Claude Code, Cursor, Cline' });
    home.write(
      SETTINGS,
      JSON.stringify({ ...(home.json(SETTINGS) as object), enabledPlugins: { 'recollect@here': true } }),
    );
    expect(found()).toMatchObject({
      result: 'warn',
      advice: 'Run recollect install claude-code, which removes the hooks that the plugin replaces.',
    });
    await home.run('install', 'claude-code');
    expect(found()).toMatchObject({ result: 'ok', text: 'Claude Code (plugin recollect@here), Cursor, Cline' });
  });
});
