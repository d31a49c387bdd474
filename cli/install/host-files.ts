import path from 'node:path';
import type { Environment } from '../../config/process-environment.ts';
import { mergeHooks, mergeKey } from './hook-list.ts';
import type { HookStyle, RequestedHook } from './hook-list.ts';
import { HOSTS, settingsFolder } from './hosts.ts';
import type { HookHost } from '../../domain/capture/hook-hosts.ts';
import type { Scope } from './hosts.ts';
import { JsonEdit } from './json-edit.ts';
import { opencodePlugin } from './opencode-plugin.ts';
import { ownMark } from './owned-file.ts';
import type { OwnedFile } from './owned-file.ts';

/** Delivery of events: the spooling client, or HTTP from the host, which loses events while the server is unreachable. */
export type Transport = 'http' | 'client';

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
interface SettingsChange {
  readonly kind: 'settings';
  readonly file: string;
  readonly style: HookStyle;
  /** The changed text contains the key. */
  readonly isPrivate: boolean;
  readonly change: (text: string) => string;
  /** Content beside hooks that the agent requires in a new file. */
  readonly made: Readonly<Record<string, unknown>>;
}

export type FileChange = SettingsChange | OwnedFile;

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

/** Events sent by the client, which adds git remote, machine and root folder of the project. */
const BY_CLIENT: ReadonlySet<string> = new Set(['SessionStart']);

/** Returns the hooks of Claude Code as groups. */
export function claudeCodeHooks(plan: HookPlan): RequestedHook[] {
  const query = plan.namespace === null ? '' : `?namespace=${encodeURIComponent(plan.namespace)}`;
  return HOSTS['claude-code'].events.map((event) => {
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

/** Returns the files that the installation changes, the file with the key first. */
export function fileChanges(host: HookHost, plan: HookPlan, environment: Environment): FileChange[] {
  const folder = settingsFolder(host, plan.scope, environment);
  switch (host) {
    case 'claude-code':
      return claudeCodeFiles(folder, plan);
    case 'codex-cli':
      return [hooksJson(folder, 'grouped', groups(commands(host, plan, { timeout: CLIENT_SECONDS })))];
    case 'cursor':
      return [hooksJson(folder, 'flat', commands(host, plan, { timeout: CLIENT_SECONDS }), { version: 1 })];
    case 'gemini-cli': {
      const entries = commands(host, plan, { name: 'recollect', timeout: CLIENT_SECONDS * 1_000 });
      return [{ ...hooksJson(folder, 'grouped', groups(entries)), file: path.join(folder, 'settings.json') }];
    }
    case 'windsurf':
      return [hooksJson(folder, 'flat', commands(host, plan, { show_output: false }))];
    case 'opencode': {
      const { events } = HOSTS[host];
      const text = opencodePlugin(Object.fromEntries(events.map((event) => [event, plan.command(event)])));
      return [{ kind: 'owned', file: path.join(folder, 'recollect.js'), text, mode: 0o644, hooks: events.length }];
    }
    case 'cline':
      return HOSTS[host].events.map((event) => ({
        kind: 'owned',
        file: path.join(folder, event),
        // Cline cancels the task if a hook fails.
        text: `#!/bin/sh\n# ${ownMark(host)}\n${plan.command(event)}\nexit 0\n`,
        mode: 0o755,
        hooks: 1,
      }));
  }
}

/** Returns the files of an agent, to find or remove hooks in them; their changes have no content. */
export function settingsFiles(host: HookHost, scope: Scope, environment: Environment): FileChange[] {
  const plan: HookPlan = { scope, transport: 'http', url: '', apiKey: '', namespace: null, command: () => '' };
  return fileChanges(host, plan, environment);
}

function claudeCodeFiles(folder: string, plan: HookPlan): FileChange[] {
  const key = plan.transport === 'http' ? plan.apiKey : null;
  const settings = path.join(folder, 'settings.json');
  const hooks = (text: string): string => mergeHooks(text, 'grouped', claudeCodeHooks(plan));
  const rest = { kind: 'settings', style: 'grouped', made: {} } as const;
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
  head: Readonly<Record<string, unknown>> = {},
): SettingsChange {
  const change = (text: string): string => {
    const edit = new JsonEdit(text);
    for (const [name, value] of Object.entries(head)) if (edit.value([name]) === undefined) edit.set([], name, value);
    return mergeHooks(edit.text, style, requested);
  };
  return { kind: 'settings', file: path.join(folder, 'hooks.json'), style, isPrivate: false, change, made: head };
}

function commands(host: HookHost, plan: HookPlan, options: Readonly<Record<string, unknown>>): RequestedHook[] {
  return HOSTS[host].events.map((event) => ({ event, entry: { command: plan.command(event), ...options } }));
}

function groups(hooks: readonly RequestedHook[]): RequestedHook[] {
  return hooks.map(({ event, entry }) => ({ event, entry: { hooks: [{ type: 'command', ...entry }] } }));
}
