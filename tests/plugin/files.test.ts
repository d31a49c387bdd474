import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { claudeCodeHooks } from '../../cli/install/host-files.ts';
import { hookClientFiles } from '../../infra/build/hook-client.ts';
import { PLUGIN_SCRIPTS } from '../../infra/build/plugin.ts';
import { PLUGIN, pluginHooks, pluginJson, pluginMcp, ROOT } from './support/plugin.ts';

const read = (...names: string[]) => readFileSync(path.join(...names), 'utf8');
const named = z.object({ name: z.string(), version: z.string().optional() });
const manifest = named.parse(pluginJson('.claude-plugin/plugin.json'));

test('the client in the plugin is that of the sources; npm run plugin writes it', () => {
  const { client, later } = hookClientFiles();
  expect(read(PLUGIN_SCRIPTS, 'client.cjs') === client).toBe(true);
  expect(read(PLUGIN_SCRIPTS, 'later.cjs') === later).toBe(true);
  expect(readdirSync(PLUGIN_SCRIPTS).sort()).toEqual(['client.cjs', 'later.cjs']);
});

test('the plugin has the version of the package and the marketplace lists it', () => {
  expect(manifest.version).toBe(named.parse(JSON.parse(read(ROOT, 'package.json'))).version);
  const marketplace = z
    .object({ name: z.string(), plugins: z.array(z.object({ name: z.string(), source: z.string() })) })
    .parse(JSON.parse(read(ROOT, '.claude-plugin', 'marketplace.json')));
  expect(marketplace).toMatchObject({ name: 'recollect', plugins: [{ name: manifest.name, source: './plugin' }] });
});

test('the hooks are those of the installer: same events, matchers and timeouts', () => {
  const installed = claudeCodeHooks({
    scope: { kind: 'user' },
    transport: 'client',
    url: '',
    apiKey: '',
    namespace: null,
    command: () => '',
  });
  expect(
    Object.entries(pluginHooks).map(([event, [{ matcher, hooks }]]) => ({ event, matcher, timeout: hooks[0].timeout })),
  ).toEqual(
    installed.map(({ event, entry }) => ({
      event,
      matcher: entry['matcher'],
      timeout: z.object({ hooks: z.tuple([z.object({ timeout: z.number() })]) }).parse(entry).hooks[0].timeout,
    })),
  );
  for (const [event, [{ hooks }]] of Object.entries(pluginHooks))
    expect(hooks[0]).toMatchObject({
      command: 'node',
      args: ['${CLAUDE_PLUGIN_ROOT}/scripts/client.cjs', event, '--plugin'],
    });
});

test('no option is in a command line, where other users of the machine could read it', () => {
  expect(JSON.stringify(pluginHooks)).not.toContain('user_config');
  expect(pluginMcp.headersHelper).not.toContain('user_config');
  expect(pluginMcp.url).not.toContain('api_key');
});

describe('commands and skill', () => {
  const commands = readdirSync(path.join(PLUGIN, 'commands')).sort();

  test('are recall, remember and why', () => {
    expect(commands).toEqual(['recall.md', 'remember.md', 'why.md']);
  });

  test.each([...commands.map((name) => `commands/${name}`), 'skills/memory/SKILL.md'])(
    '%s has a description',
    (name) => {
      expect(read(PLUGIN, name)).toMatch(/^---\n(?:[a-z-]+: .+\n)*description: .{20,}\n(?:[a-z-]+: .+\n)*---\n\n/);
    },
  );

  test.each(commands)('%s names tools of the MCP server only', (name) => {
    const tools = [...read(PLUGIN, 'commands', name).matchAll(/mcp__plugin_recollect_recollect__(\w+)/g)];
    expect(tools.length).toBeGreaterThan(0);
    for (const [, tool] of tools)
      expect(['search', 'timeline', 'get', 'context', 'remember', 'forget']).toContain(tool);
  });
});
