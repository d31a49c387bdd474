/** Names of the agents whose hooks are understood and installed; the first is meant where none is named. */
export const HOOK_HOSTS = [
  'claude-code',
  'codex-cli',
  'cursor',
  'gemini-cli',
  'opencode',
  'windsurf',
  'cline',
] as const;
export type HookHost = (typeof HOOK_HOSTS)[number];
