import type { RunCommand } from '../service/service-commands.ts';
import { InstallError } from './install-error.ts';

/**
 * Oldest supported Claude Code, from its changelog (github.com/anthropics/claude-code, CHANGELOG.md): 2.1.63 added HTTP hooks and 2.1.78 the hook
 * StopFailure, the newest of those that `install` writes. Before 2.1.101 Claude Code ignores a complete settings file with an unknown hook.
 */
export const OLDEST_CLAUDE_CODE = '2.1.78';

/** Checks the Claude Code on the PATH; accepts a missing program and an output without a version. @throws InstallError for an older version */
export function checkClaudeCode(run: RunCommand): void {
  const outcome = run('claude', ['--version']);
  const found = outcome.kind === 'ended' ? /\d+\.\d+\.\d+/.exec(outcome.stdout)?.[0] : undefined;
  if (found === undefined || !isOlder(found, OLDEST_CLAUDE_CODE)) return;
  throw new InstallError(
    'agent-too-old',
    `Claude Code ${found} lacks some of the hooks and would ignore the complete settings file: ${OLDEST_CLAUDE_CODE} or newer is required. Run claude update and try again, or pass --no-check. Nothing was written.`,
  );
}

function isOlder(version: string, than: string): boolean {
  return version.localeCompare(than, 'en', { numeric: true }) < 0;
}
