import { rmSync } from 'node:fs';
import { beforeAll, describe, expect, test, onTestFinished } from 'vitest';
import { z } from 'zod';
import { fileInstance } from '../setup/file-instance.ts';
import { Home } from '../cli/install/support/home.ts';
import { PLUGIN, ROOT } from '../plugin/support/plugin.ts';
import { capturedOf, learn } from './support/captured.ts';
import { runAgent } from './support/agent.ts';
import { startStreamingMessagesServer } from './support/streaming-messages-server.ts';

const instance = fileInstance();
let agentKey: string;
let writeKey: string;

beforeAll(async () => {
  agentKey = (await instance.user({ scopes: ['capture', 'read'] })).key;
  writeKey = (await instance.user({ scopes: ['read', 'write'] })).key;
});

const claude = (home: Home, args: readonly string[], environment = {}, input = '') =>
  runAgent('claude-code', args, {
    home: home.folder,
    cwd: home.path('project'),
    input,
    environment: { DISABLE_AUTOUPDATER: '1', CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', ...environment },
  });

/** Returns an empty home in which Claude Code has the plugin, with these options. */
async function pluginHome(options: Readonly<Record<string, string>>): Promise<Home> {
  const home = new Home(null);
  home.write('project/README.md', '# Orchard\n');
  for (const args of [
    ['plugin', 'marketplace', 'add', ROOT],
    ['plugin', 'install', 'recollect@recollect'],
  ]) {
    const { code, out, err } = await claude(home, args);
    expect({ args, code, output: code === 0 ? '' : out + err }).toEqual({ args, code: 0, output: '' });
  }
  await claude(home, ['plugin', 'configure', 'recollect@recollect', '--values-stdin'], {}, JSON.stringify(options));
  return home;
}

const initLine = z.object({
  subtype: z.literal('init'),
  mcp_servers: z.array(z.object({ name: z.string(), status: z.string() })),
});

/** Runs a session with one call of a tool. Returns what the provider was sent, and the state of the MCP servers. */
async function session(home: Home, prompt: string) {
  const provider = await startStreamingMessagesServer();
  onTestFinished(provider.close);
  provider.script([{ type: 'tool_use', name: 'Bash', input: { command: 'echo 12 passing', description: 'Test' } }]);
  const args = ['-p', prompt, '--output-format', 'stream-json', '--verbose', '--allowedTools', 'Bash'];
  const { code, out } = await claude(home, args, {
    ANTHROPIC_BASE_URL: provider.url,
    ANTHROPIC_API_KEY: 'sk-ant-test',
  });
  expect(code).toBe(0);
  const init = out.split('\n').find((line) => line.includes('"subtype":"init"'));
  return {
    sent: JSON.stringify(provider.requests),
    servers: initLine.parse(JSON.parse(init ?? 'null')).mcp_servers,
  };
}

describe('claude plugin validate', () => {
  test.each([PLUGIN, ROOT])('accepts %s without a warning', async (folder) => {
    const home = new Home(null);
    home.write('project/README.md', '');
    expect(await claude(home, ['plugin', 'validate', '--strict', folder])).toMatchObject({ code: 0 });
  });
});

describe('a session with the plugin', () => {
  const CONNECTED = [{ name: 'plugin:recollect:recollect', status: 'connected' }];
  const LEARNED = 'Rows without a weight are skipped.';

  test.each([
    ['the key of the data directory', true],
    ['the options', false],
  ])('is captured once, gets context and tools by %s', async (name, byFiles) => {
    const home = await pluginHome({ server_url: instance.url, ...(byFiles ? {} : { api_key: agentKey }) });
    const credentials = {
      url: instance.url,
      api_key: 'rcl_operator',
      agent_api_key: agentKey,
      agent_write_api_key: writeKey,
    };
    if (byFiles) home.write('.recollect/credentials.json', JSON.stringify(credentials));
    const before = await capturedOf(instance, 'claude-code', home);
    const { servers } = await session(home, `How are rows counted by ${name}?`);
    expect(servers).toEqual(CONNECTED);
    const rows = (kind: string) => (before[kind] ?? 0) + 1;
    await expect
      .poll(() => capturedOf(instance, 'claude-code', home))
      .toEqual({
        'prompt assistant': rows('prompt assistant'),
        'prompt user': rows('prompt user'),
        'tool Bash': rows('tool Bash'),
      });
    await learn(instance, 'claude-code', LEARNED);
    rmSync(home.path('.recollect/spool'), { recursive: true, force: true });
    expect((await session(home, 'Go on.')).sent).toContain(LEARNED);
  });
});
