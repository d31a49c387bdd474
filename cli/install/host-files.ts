import { homedir } from 'node:os';
import path from 'node:path';
import type { Environment } from '../../config/process-environment.ts';
import { mergeHooks, mergeKey } from './hook-list.ts';
import type { HookStyle, RequestedHook } from './hook-list.ts';
import { assertDurable } from './durable-path.ts';
import { JsonEdit } from './json-edit.ts';
import { quoted } from '../../hook/command-line.ts';

export const INSTALL_HOSTS = ['claude-code', 'codex-cli', 'cursor'] as const;
export type InstallHost = (typeof INSTALL_HOSTS)[number];

/** Delivery of events: the spooling client, or HTTP from the host, which loses events while the server is unreachable. */
export type Transport = 'http' | 'client';

/** User settings, or the settings of a project in a folder. */
export type Scope = { readonly kind: 'user' } | { readonly kind: 'project'; readonly folder: string };

/** Content of the hooks to write. */
export interface HookPlan {
  readonly scope: Scope;
  readonly transport: Transport;
  readonly url: string;
  readonly apiKey: string;
  readonly namespace: string | null;
  /** Returns the shell command that sends an event of this host with the client. */
  readonly command: (event: string) => string;
}

/** A settings file and the idempotent change of its text. */
export interface FileChange {
  readonly file: string;
  readonly style: HookStyle;
  /** The changed text contains the key. */
  readonly isPrivate: boolean;
  readonly change: (text: string) => string;
  /** Content beside hooks that the agent requires in a new file. */
  readonly made: Readonly<Record<string, unknown>>;
}

/** Timeout of the host in seconds. A failed or late hook never blocks the agent; the transcript has the event. */
const CAPTURE_SECONDS = 1;
/** Timeout for events whose response may contain context. */
const CONTEXT_SECONDS = 2;
const HTTP_CONTEXT: ReadonlySet<string> = new Set(['UserPromptSubmit', 'PreToolUse']);
/** Timeout of the client, which exits by itself within 0.5 or 2 s (hook/limits.ts). A shorter one would lose the event that it spools. */
const CLIENT_SECONDS = 5;
/** Tools with a PreToolUse hook: only Read, for the file's context. */
const MATCHERS: Readonly<Record<string, string>> = { PreToolUse: 'Read' };
const KEY_VARIABLE = 'RECOLLECT_API_KEY';

const CLAUDE_CODE_EVENTS = [
  'SessionStart',
  'UserPromptSubmit',
  'PreToolUse',
  'PostToolUse',
  'PostToolUseFailure',
  'SubagentStart',
  'SubagentStop',
  'Stop',
  'StopFailure',
  'PreCompact',
  'PostCompact',
  'Notification',
  'SessionEnd',
] as const;
/** Events sent by the client, which adds git remote, machine and root folder of the project. */
const BY_CLIENT: ReadonlySet<string> = new Set(['SessionStart']);

const CODEX_EVENTS = [
  'SessionStart',
  'UserPromptSubmit',
  'PostToolUse',
  'PreCompact',
  'PostCompact',
  'SubagentStart',
  'SubagentStop',
  'Stop',
  'SessionEnd',
] as const;

/** postToolUse covers shell and MCP calls with their ids, so their older events are not used; afterFileEdit has the details of edits. */
const CURSOR_EVENTS = [
  'sessionStart',
  'beforeSubmitPrompt',
  'postToolUse',
  'postToolUseFailure',
  'afterFileEdit',
  'afterAgentResponse',
  'subagentStart',
  'subagentStop',
  'preCompact',
  'stop',
  'sessionEnd',
] as const;

/** Returns the hooks of Claude Code as groups. */
export function claudeCodeHooks(plan: HookPlan): RequestedHook[] {
  const query = plan.namespace === null ? '' : `?namespace=${encodeURIComponent(plan.namespace)}`;
  return CLAUDE_CODE_EVENTS.map((event) => {
    const hook =
      plan.transport === 'client' || BY_CLIENT.has(event)
        ? { type: 'command', command: plan.command(event), timeout: CLIENT_SECONDS }
        : {
            type: 'http',
            url: `${plan.url}/api/v1/hooks/${event}${query}`,
            headers: { Authorization: `Bearer $${KEY_VARIABLE}` },
            allowedEnvVars: [KEY_VARIABLE],
            timeout: HTTP_CONTEXT.has(event) ? CONTEXT_SECONDS : CAPTURE_SECONDS,
          };
    const matcher = MATCHERS[event];
    return { event, entry: { ...(matcher === undefined ? {} : { matcher }), hooks: [hook] } };
  });
}

/** Returns the events of an agent's hooks, in their order. */
export function eventsOf(host: InstallHost): readonly string[] {
  return { 'claude-code': CLAUDE_CODE_EVENTS, 'codex-cli': CODEX_EVENTS, cursor: CURSOR_EVENTS }[host];
}

/** Returns the settings folder of an agent. */
export function settingsFolder(host: InstallHost, scope: Scope, environment: Environment): string {
  const home = environment['HOME'] ?? homedir();
  const user: Readonly<Record<InstallHost, string>> = {
    'claude-code': environment['CLAUDE_CONFIG_DIR'] || path.join(home, '.claude'),
    'codex-cli': environment['CODEX_HOME'] || path.join(home, '.codex'),
    cursor: path.join(home, '.cursor'),
  };
  const project: Readonly<Record<InstallHost, string>> = {
    'claude-code': '.claude',
    'codex-cli': '.codex',
    cursor: '.cursor',
  };
  return scope.kind === 'user' ? path.resolve(user[host]) : path.join(path.resolve(scope.folder), project[host]);
}

/** Returns the files that the installation changes, the file with the key first. */
export function fileChanges(host: InstallHost, plan: HookPlan, environment: Environment): FileChange[] {
  const folder = settingsFolder(host, plan.scope, environment);
  switch (host) {
    case 'claude-code':
      return claudeCodeFiles(folder, plan);
    case 'codex-cli':
      return [hooksJson(folder, 'grouped', commandGroups(CODEX_EVENTS, plan), {})];
    case 'cursor':
      return [hooksJson(folder, 'flat', commands(CURSOR_EVENTS, plan), { version: 1 })];
  }
}

function claudeCodeFiles(folder: string, plan: HookPlan): FileChange[] {
  const key = plan.transport === 'http' ? plan.apiKey : null;
  const settings = path.join(folder, 'settings.json');
  const hooks = (text: string): string => mergeHooks(text, 'grouped', claudeCodeHooks(plan));
  const rest = { style: 'grouped', made: {} } as const;
  if (plan.scope.kind === 'user')
    return [{ file: settings, ...rest, isPrivate: key !== null, change: (text) => mergeKey(hooks(text), key) }];
  // Project settings are committed, so the key goes to the local settings.
  const local = path.join(folder, 'settings.local.json');
  return [
    { file: local, ...rest, isPrivate: key !== null, change: (text) => mergeKey(text, key) },
    { file: settings, ...rest, isPrivate: false, change: hooks },
  ];
}

function hooksJson(
  folder: string,
  style: HookStyle,
  requested: readonly RequestedHook[],
  head: Readonly<Record<string, unknown>>,
): FileChange {
  const change = (text: string): string => {
    const edit = new JsonEdit(text);
    for (const [name, value] of Object.entries(head)) if (edit.value([name]) === undefined) edit.set([], name, value);
    return mergeHooks(edit.text, style, requested);
  };
  return { file: path.join(folder, 'hooks.json'), style, isPrivate: false, change, made: head };
}

function commands(events: readonly string[], plan: HookPlan): RequestedHook[] {
  return events.map((event) => ({ event, entry: { command: plan.command(event), timeout: CLIENT_SECONDS } }));
}

function commandGroups(events: readonly string[], plan: HookPlan): RequestedHook[] {
  return commands(events, plan).map(({ event, entry }) => ({
    event,
    entry: { hooks: [{ type: 'command', ...entry }] },
  }));
}

const BIN = path.resolve(import.meta.dirname, '..', 'bin.mjs');

/**
 * Returns the command or file content that adds the MCP server to an agent. It starts `recollect mcp` with the current Node, which reads
 * address and key from the data directory, so the agent's settings contain no key. Without `mayWrite` the agent can search memories,
 * and neither store nor forget them. @throws InstallError `cache-path`
 */
export function mcpInstruction(host: InstallHost, scope: Scope, dataDir: string, mayWrite: boolean): string {
  assertDurable(process.execPath, BIN);
  const words = [process.execPath, BIN, 'mcp', ...(mayWrite ? ['--write'] : []), '--data-dir', path.resolve(dataDir)];
  const line = words.map(quoted).join(' ');
  switch (host) {
    case 'claude-code':
      return `claude mcp add --scope ${scope.kind} recollect -- ${line}\n`;
    case 'codex-cli':
      return `codex mcp add recollect -- ${line}\n`;
    case 'cursor': {
      const [command, ...args] = words;
      const file =
        scope.kind === 'user' ? '~/.cursor/mcp.json' : path.join(path.resolve(scope.folder), '.cursor', 'mcp.json');
      return `${file}:\n${JSON.stringify({ mcpServers: { recollect: { command, args } } }, null, 2)}\n`;
    }
  }
}
