import { homedir } from 'node:os';
import path from 'node:path';
import type { Environment } from '../../config/process-environment.ts';
import type { HookHost } from '../../domain/capture/hook-hosts.ts';

/** User settings, or the settings of a project in a folder. */
export type Scope = { readonly kind: 'user' } | { readonly kind: 'project'; readonly folder: string };

/** What the installer knows of an agent. */
interface HostRules {
  readonly name: string;
  /** What the user does after an installation. */
  readonly next: string;
  /** Events with a hook, in their order. */
  readonly events: readonly string[];
  /** Folder of the hooks in a user's home. */
  readonly user: (home: string, environment: Environment) => string;
  /** The same in a project. */
  readonly project: string;
}

export const HOSTS: Readonly<Record<HookHost, HostRules>> = {
  'claude-code': {
    name: 'Claude Code',
    next: 'Restart Claude Code. Its command /hooks lists the hooks.',
    events: [
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
    ],
    user: (home, environment) => environment['CLAUDE_CONFIG_DIR'] || path.join(home, '.claude'),
    project: '.claude',
  },
  'codex-cli': {
    name: 'Codex CLI',
    next: 'Restart Codex and trust the new hooks with its command /hooks.',
    events: [
      'SessionStart',
      'UserPromptSubmit',
      'PostToolUse',
      'PreCompact',
      'PostCompact',
      'SubagentStart',
      'SubagentStop',
      'Stop',
      'SessionEnd',
    ],
    user: (home, environment) => environment['CODEX_HOME'] || path.join(home, '.codex'),
    project: '.codex',
  },
  cursor: {
    name: 'Cursor',
    next: 'Cursor loads the hooks at once. Its settings list them under Hooks.',
    // postToolUse covers shell and MCP calls with their ids, so their older events are not used; afterFileEdit has the details of edits.
    events: [
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
    ],
    user: (home) => path.join(home, '.cursor'),
    project: '.cursor',
  },
  'gemini-cli': {
    name: 'Gemini CLI',
    next: 'Restart Gemini CLI. Its command /hooks panel lists the hooks.',
    events: ['SessionStart', 'BeforeAgent', 'AfterTool', 'AfterAgent', 'Notification', 'SessionEnd'],
    user: (home) => path.join(home, '.gemini'),
    project: '.gemini',
  },
  opencode: {
    name: 'opencode',
    next: 'Restart opencode, which loads the plugin at its start.',
    events: [
      'session_created',
      'chat_message',
      'tool_execute_after',
      'subagent_start',
      'subagent_stop',
      'session_compacted',
      'session_idle',
      'session_error',
      'session_deleted',
    ],
    user: (home, environment) =>
      path.join(environment['XDG_CONFIG_HOME'] || path.join(home, '.config'), 'opencode', 'plugins'),
    project: path.join('.opencode', 'plugins'),
  },
  windsurf: {
    name: 'Windsurf',
    next: 'Restart Windsurf.',
    // It has none for the start, the end or a compaction of a session.
    events: [
      'pre_user_prompt',
      'post_read_code',
      'post_write_code',
      'post_run_command',
      'post_mcp_tool_use',
      'post_cascade_response',
    ],
    user: (home) => path.join(home, '.codeium', 'windsurf'),
    project: '.windsurf',
  },
  cline: {
    name: 'Cline',
    next: 'Enable the hooks in Cline, in the tab Hooks of its rules.',
    events: ['TaskStart', 'TaskResume', 'UserPromptSubmit', 'PostToolUse', 'PreCompact', 'TaskComplete', 'TaskCancel'],
    user: (home) => path.join(home, 'Documents', 'Cline', 'Hooks'),
    project: path.join('.clinerules', 'hooks'),
  },
};

/** Returns the folder of an agent's hooks. */
export function settingsFolder(host: HookHost, scope: Scope, environment: Environment): string {
  const { user, project } = HOSTS[host];
  return scope.kind === 'user'
    ? path.resolve(user(environment['HOME'] ?? homedir(), environment))
    : path.join(path.resolve(scope.folder), project);
}
