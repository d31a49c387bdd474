import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { findTarget } from '../../hook/target.ts';
import { drainSpool } from '../../hook/spool/drain.ts';
import { CLAUDE_CODE_ROWS, claudeCodePayload } from '../setup/claude-code-payloads.ts';
import { fileInstance } from '../setup/file-instance.ts';
import { closedPort } from '../api/support/closed-port.ts';
import { Home } from '../cli/install/support/home.ts';
import { logEntries, spoolLines } from '../hook/support/client.ts';
import { firePlugin, mcpServer, pluginHooks } from './support/plugin.ts';
import type { Options } from './support/plugin.ts';

// The plugin as Claude Code documents it: hooks.json, substituted variables, options in the environment, payloads on stdin.

const instance = fileInstance();
let agentKey: string;
let writeKey: string;

beforeAll(async () => {
  agentKey = (await instance.stranger({ scopes: ['capture', 'read'] })).key;
  writeKey = (await instance.stranger({ scopes: ['read', 'write'] })).key;
});

const SETTINGS = '.claude/settings.json';
const ENABLED = JSON.stringify({ enabledPlugins: { 'recollect@recollect': true } });

/** Returns a home whose instance is that of the tests. */
function homeHere(): Home {
  const home = new Home(null);
  home.write(
    '.recollect/credentials.json',
    JSON.stringify({
      url: instance.url,
      api_key: 'rcl_operator',
      agent_api_key: agentKey,
      agent_write_api_key: writeKey,
    }),
  );
  return home;
}

async function countsOf(session: string): Promise<object | undefined> {
  const [counts] = await instance.rows<{ prompts: number; observations: number }>(
    `SELECT (SELECT count(*)::int FROM prompts p WHERE p.session_id = s.id) AS prompts,
            (SELECT count(*)::int FROM observations o WHERE o.session_id = s.id) AS observations
     FROM sessions s WHERE s.external_id = $1`,
    [session],
  );
  return counts;
}

/** Sends what clients that were late on a busy machine spooled. */
async function drained(home: Home, dataDir = home.path('.recollect'), server: Server | null = null): Promise<void> {
  const target = findTarget(dataDir, { server, spoolMaxBytes: 0 });
  if (target === null) throw new Error('no server');
  await drainSpool({ dataDir, target });
}

type Server = Readonly<Record<'url' | 'apiKey', string>>;

/** Returns the rows of a session; to poll, because a late client may still write its event to the spool. */
async function arrived(id: string, home: Home, dataDir?: string, server?: Server): Promise<object | undefined> {
  await drained(home, dataDir, server);
  return countsOf(id);
}

/** Fires the plugin's hook of every event, and those of the settings beside it, as Claude Code does. */
async function session(id: string, home: Home, options: Options = {}): Promise<void> {
  for (const event of Object.keys(pluginHooks)) {
    const payload = { session_id: id, cwd: home.folder, ...claudeCodePayload(event) };
    const [ran] = await Promise.all([
      firePlugin(event, payload, home.folder, options),
      fireInstalled(event, payload, home),
    ]);
    expect({ event, code: ran.code, err: ran.err }).toEqual({ event, code: 0, err: '' });
  }
}

const settingsSchema = z.object({
  hooks: z.record(z.string(), z.array(z.object({ hooks: z.array(z.object({ command: z.string() })) }))).default({}),
});

async function fireInstalled(event: string, payload: object, home: Home): Promise<void> {
  const settings = home.exists(SETTINGS) ? settingsSchema.parse(home.json(SETTINGS)) : { hooks: {} };
  for (const { command } of settings.hooks[event]?.flatMap(({ hooks }) => hooks) ?? []) {
    const child = spawn('sh', ['-c', command], { env: { HOME: home.folder }, stdio: ['pipe', 'ignore', 'ignore'] });
    child.stdin.end(JSON.stringify({ ...payload, hook_event_name: event }));
    await once(child, 'exit');
  }
}

test('every event of a session arrives with the key of the data directory', async () => {
  const home = homeHere();
  await session('by-files', home);
  await expect.poll(() => arrived('by-files', home)).toEqual(CLAUDE_CODE_ROWS);
});

test('options come before client.json and credentials.json', async () => {
  const home = homeHere();
  const elsewhere = { url: `http://127.0.0.1:${await closedPort()}`, api_key: 'rcl_another' };
  home.write('.recollect/client.json', JSON.stringify(elsewhere));
  const options = { server_url: instance.url, api_key: agentKey, data_dir: '~/memory' };
  const start = { session_id: 'by-options', cwd: home.folder, ...claudeCodePayload('UserPromptSubmit') };
  await firePlugin('UserPromptSubmit', start, home.folder, options);
  // The folder of the option, since no client has written to the default one.
  expect(home.list('.recollect')).toEqual(['client.json', 'credentials.json']);
  const server = { url: instance.url, apiKey: agentKey };
  await expect
    .poll(() => arrived('by-options', home, home.path('memory'), server))
    .toEqual({ prompts: 1, observations: 0 });
  await firePlugin('UserPromptSubmit', { ...start, session_id: 'by-client' }, home.folder);
  await expect.poll(() => spoolLines(home.path('.recollect'))).toMatchObject([{ body: { session_id: 'by-client' } }]);
  rmSync(home.path('.recollect/client.json'));
  await firePlugin('UserPromptSubmit', { ...start, session_id: 'by-credentials' }, home.folder);
  await expect.poll(() => arrived('by-credentials', home)).toEqual({ prompts: 1, observations: 0 });
  expect(logEntries(home.path('.recollect')).filter(({ what }) => what === 'internal-error')).toEqual([]);
});

test('a session start is answered with context', async () => {
  const home = homeHere();
  const start = { session_id: 'context-1', cwd: home.folder, ...claudeCodePayload('SessionStart') };
  await firePlugin('SessionStart', start, home.folder);
  await expect.poll(() => arrived('context-1', home)).toEqual({ prompts: 0, observations: 0 });
  await instance.write(
    `INSERT INTO learnings (id, tenant_id, project_id, user_id, session_id, fingerprint, category, title, description, confidence, valid_from)
     SELECT gen_random_uuid(), s.tenant_id, s.project_id, s.user_id, s.id, 'plugin', 'general', 'Rows', 'Rows without a weight are skipped.', 0.9, now()
     FROM sessions s WHERE s.external_id = 'context-1'`,
    [],
  );
  const again = { ...start, session_id: 'context-2' };
  await expect
    .poll(async () => (await firePlugin('SessionStart', again, home.folder)).out, { timeout: 100_000 })
    .toContain('"hookSpecificOutput":{"hookEventName":"SessionStart","additionalContext":');
});

test.each([
  ['hooks that are installed before the plugin', '{}', ENABLED],
  ['hooks that are installed after it', ENABLED, ENABLED],
  ['hooks that are installed without it in the settings', '{}', '{}'],
])('one event comes once beside %s', async (name, before, after) => {
  const home = homeHere();
  home.write(SETTINGS, before);
  await home.run('install', 'claude-code', '--no-check');
  home.write(
    SETTINGS,
    JSON.stringify({ ...z.looseObject({}).parse(home.json(SETTINGS)), ...z.looseObject({}).parse(JSON.parse(after)) }),
  );
  const id = name.replaceAll(' ', '-');
  await session(id, home);
  await expect.poll(() => arrived(id, home)).toEqual(CLAUDE_CODE_ROWS);
});

test('the plugin sends events whose installed hook cannot run on this machine', async () => {
  const home = homeHere();
  await home.run('install', 'claude-code', '--no-check');
  home.write(SETTINGS, home.read(SETTINGS).replaceAll('client.cjs', 'moved.cjs'));
  await firePlugin('UserPromptSubmit', { session_id: 'moved', prompt: 'hello', cwd: home.folder }, home.folder);
  await expect.poll(() => arrived('moved', home)).toEqual({ prompts: 1, observations: 0 });
});

test.each<[string, (home: Home) => Options]>([
  ['the key of the data directory', () => ({ server_url: instance.url })],
  ['the folder of the option data_dir', (home) => ({ server_url: instance.url, data_dir: home.path('memory') })],
  ['the key of the option', () => ({ server_url: instance.url, api_key: writeKey })],
  ['an address that ends in a slash', () => ({ server_url: `${instance.url}/` })],
])('the MCP server is reached with %s', async (source, optionsOf) => {
  const home = homeHere();
  if (source.includes('data_dir')) home.move('.recollect', 'memory');
  if (source === 'the key of the option') rmSync(home.path('.recollect'), { recursive: true });
  const { url, headers } = await mcpServer(home.folder, optionsOf(home));
  const answer = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
  });
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain('"remember"');
});

test('the key of the data directory is given to no other server', async () => {
  const home = homeHere();
  const { headers } = await mcpServer(home.folder, { server_url: 'https://memory.example.org', api_key: 'rcl_option' });
  expect(headers).toEqual({ Authorization: 'Bearer rcl_option' });
});
