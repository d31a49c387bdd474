import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { readCredentials } from '../../client/credentials.ts';
import type { CommandContext, ExitCode } from '../command-context.ts';
import { withDataDir } from '../data-dir.ts';

/** Events that Claude Code sends, as far as they are captured; PreToolUse only asks. */
const EVENTS = [
  'SessionStart',
  'UserPromptSubmit',
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
const KEY_VARIABLE = 'RECOLLECT_API_KEY';
/** Seconds that the host waits at most; a hook that fails or is late never blocks the agent. */
const TIMEOUT_SECONDS = 5;

export function addHooks(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  withDataDir(program.command('hooks'), context.environment)
    .description('print the settings that make Claude Code send its hooks to this instance')
    .action((options: { readonly dataDir: string }) => exit(hooks(options.dataDir, context)));
}

/** Settings for `~/.claude/settings.json`; the key comes from the environment, so that it does not stand in a settings file. */
export function hookSettings(url: string): object {
  const entry = (event: string) => [
    {
      hooks: [
        {
          type: 'http',
          url: `${url}/api/v1/hooks/${event}`,
          headers: { Authorization: `Bearer $${KEY_VARIABLE}` },
          allowedEnvVars: [KEY_VARIABLE],
          timeout: TIMEOUT_SECONDS,
        },
      ],
    },
  ];
  return { hooks: Object.fromEntries(EVENTS.map((event) => [event, entry(event)])) };
}

function hooks(dataDir: string, context: CommandContext): ExitCode {
  const credentialsPath = path.join(dataDir, 'credentials.json');
  if (!existsSync(credentialsPath)) {
    context.output.err(`There is no instance in ${dataDir} yet: start it once with npm start.\n`);
    return 3;
  }
  const { url } = readCredentials(credentialsPath);
  context.output.out(`${JSON.stringify(hookSettings(url), null, 2)}\n`);
  context.output.err(
    `Merge this into ~/.claude/settings.json, and give the agent the key, for example in your shell's profile:\n  export ${KEY_VARIABLE}="$(node -p 'require(process.argv[1]).api_key' ${credentialsPath})"\n`,
  );
  return 0;
}
