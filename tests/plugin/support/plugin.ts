import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { processEnvironment } from '../../../config/process-environment.ts';

export const ROOT = path.resolve(import.meta.dirname, '..', '..', '..');
export const PLUGIN = path.join(ROOT, 'plugin');

/** Returns a JSON file of the plugin. */
export function pluginJson(name: string): unknown {
  return JSON.parse(readFileSync(path.join(PLUGIN, name), 'utf8'));
}

const commandHook = z.strictObject({
  type: z.literal('command'),
  command: z.string(),
  args: z.array(z.string()),
  timeout: z.number(),
});
const hooksSchema = z.strictObject({
  hooks: z.record(
    z.string(),
    z.tuple([z.strictObject({ matcher: z.string().optional(), hooks: z.tuple([commandHook]) })]),
  ),
});
const mcpSchema = z.strictObject({
  mcpServers: z.strictObject({
    recollect: z.strictObject({
      type: z.literal('http'),
      url: z.string(),
      headers: z.strictObject({ Authorization: z.string() }),
      headersHelper: z.string(),
    }),
  }),
});

/** The hooks of the plugin by event, in order. */
export const pluginHooks = hooksSchema.parse(pluginJson('hooks/hooks.json')).hooks;
export const pluginMcp = mcpSchema.parse(pluginJson('.mcp.json')).mcpServers.recollect;

/** Options of the plugin that the user has set. */
export type Options = Readonly<Record<string, string>>;

function substituted(word: string): string {
  return word.replaceAll('${CLAUDE_PLUGIN_ROOT}', PLUGIN);
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(command: string, args: readonly string[], environment: object, input: string): Promise<Ran> {
  const child = spawn(command, args, {
    // With Node on the PATH, as the plugin requires.
    env: { PATH: [path.dirname(process.execPath), processEnvironment()['PATH']].join(':'), ...environment },
    stdio: 'pipe',
  });
  child.stdin.on('error', () => undefined); // A client that leaves its event to another hook reads nothing.
  child.stdin.end(input);
  const [[code], out, err] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  return { code: z.number().parse(code), out, err };
}

/** Runs the plugin's hook of an event as Claude Code documents it: without a shell, with the payload on stdin and the set options in the environment. */
export function firePlugin(event: string, payload: object, home: string, options: Options = {}): Promise<Ran> {
  const [group] = pluginHooks[event] ?? [];
  if (group === undefined) throw new Error(`the plugin has no hook for ${event}`);
  const [{ command, args }] = group.hooks;
  const given = Object.entries(options).map(([name, value]) => [`CLAUDE_PLUGIN_OPTION_${name.toUpperCase()}`, value]);
  return run(
    substituted(command),
    args.map(substituted),
    {
      HOME: home,
      CLAUDE_PROJECT_DIR: path.join(home, 'project'),
      CLAUDE_PLUGIN_ROOT: PLUGIN,
      ...Object.fromEntries(given),
    },
    JSON.stringify({ ...payload, hook_event_name: event }),
  );
}

/** Address and headers of the plugin's MCP server, as Claude Code computes them: unset options are empty, a default is a value. */
export async function mcpServer(
  home: string,
  options: Options = {},
): Promise<{ readonly url: string; readonly headers: Readonly<Record<string, string>> }> {
  const { userConfig } = z
    .object({ userConfig: z.record(z.string(), z.object({ default: z.string().optional() })) })
    .parse(pluginJson('.claude-plugin/plugin.json'));
  const filled = (word: string) =>
    word.replaceAll(/\$\{user_config\.(\w+)\}/g, (_, name: string) => options[name] ?? userConfig[name]?.default ?? '');
  const url = filled(pluginMcp.url);
  const { out } = await run(
    'sh',
    ['-c', substituted(pluginMcp.headersHelper)],
    { HOME: home, CLAUDE_CODE_MCP_SERVER_URL: url },
    '',
  );
  const added = z.record(z.string(), z.string()).parse(JSON.parse(out));
  return { url, headers: { Authorization: filled(pluginMcp.headers.Authorization), ...added } };
}
