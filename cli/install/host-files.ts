import { homedir } from 'node:os';
import path from 'node:path';
import type { Environment } from '../../config/process-environment.ts';
import { type HookStyle, mergeHooks, mergeKey, type RequestedHook } from './hook-list.ts';
import { JsonEdit } from './json-edit.ts';

export const INSTALL_HOSTS = ['claude-code', 'codex-cli', 'cursor'] as const;
export type InstallHost = (typeof INSTALL_HOSTS)[number];

/** How events reach the server: over HTTP by the host itself where it can, or by the client alone, which spools. */
export type Transport = 'http' | 'client';

/** The user's own settings, or those of a project in a folder. */
export type Scope = { readonly kind: 'user' } | { readonly kind: 'project'; readonly folder: string };

/** What is written: for whom, how, and with what. */
export interface HookPlan {
  readonly scope: Scope;
  readonly transport: Transport;
  readonly url: string;
  readonly apiKey: string;
  readonly namespace: string | null;
  /** The shell command that gives an event of this host to the client. */
  readonly command: (event: string) => string;
}

/** One file that an agent reads, and what becomes of its text. Applied to what it made, a change changes nothing. */
export interface FileChange {
  readonly file: string;
  readonly style: HookStyle;
  /** The text holds the key afterwards. */
  readonly isPrivate: boolean;
  readonly change: (text: string) => string;
  /** What a new file is given beside hooks, because the agent wants it there. */
  readonly made: Readonly<Record<string, unknown>>;
}

/** Seconds that the host waits for the server at most; a hook that fails or is late never blocks the agent, and its transcript has it. */
const CAPTURE_SECONDS = 1;
/** The same for an event whose answer may bring context. */
const CONTEXT_SECONDS = 2;
const HTTP_CONTEXT: ReadonlySet<string> = new Set(['UserPromptSubmit', 'PreToolUse']);
/** The client ends by itself, after half a second or two (hook/limits.ts). To end it before that would lose the event it is about to keep. */
const CLIENT_SECONDS = 5;
/** Tools before which the server is asked: of the file that is read it may know something. A hook before every tool would cost time for nothing. */
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
/** The client adds what HTTP hooks cannot: the git remote, the machine and the root of the project. */
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

/** postToolUse tells shell and MCP calls with their ids, so the older events of those would only say them again; edits are told best by their own. */
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

/** The hooks of Claude Code, in the groups that its settings hold. */
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

/** The folder that an agent keeps its settings in. */
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

/** Every file that installing changes, the one with the key first: without it the others would be of no use. */
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
  // The project's settings are committed, so the key goes to the local ones beside them.
  const local = path.join(folder, 'settings.local.json');
  return [
    { file: local, ...rest, isPrivate: key !== null, change: (text) => mergeKey(text, key) },
    { file: settings, ...rest, isPrivate: false, change: hooks },
  ];
}

function hooksJson(
  folder: string,
  style: HookStyle,
  wanted: readonly RequestedHook[],
  head: Readonly<Record<string, unknown>>,
): FileChange {
  const change = (text: string): string => {
    const edit = new JsonEdit(text);
    for (const [name, value] of Object.entries(head)) if (edit.value([name]) === undefined) edit.set([], name, value);
    return mergeHooks(edit.text, style, wanted);
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
