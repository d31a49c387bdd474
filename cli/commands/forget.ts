import type { Command } from 'commander';
import type { Forgotten } from '../server/steering.ts';
import type { CommandContext, ExitCode } from '../command-context.ts';
import { withDataDir } from '../data-dir.ts';
import { confirm } from '../confirm.ts';
import { withServer } from '../with-server.ts';

interface ForgetOptions {
  readonly dataDir: string;
  readonly session?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

const NAMES: Readonly<Record<string, string>> = {
  prompts: 'prompts',
  observations: 'observations',
  boundaries: 'boundaries',
  summaries: 'summaries and items',
  windows: 'windows to be summed up anew',
  evidence: 'quotes of learnings',
  learnings: 'learnings that no quote is left for',
  vectors: 'vectors',
};

function countsText({ forgotten }: Forgotten): string {
  const counts = Object.entries(forgotten).filter(([, count]) => count > 0);
  return counts.map(([name, count]) => `  ${count} ${NAMES[name] ?? name}\n`).join('');
}

export function addForget(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  withDataDir(program.command('forget'), environment)
    .description('forget one event, or with --session alone a whole session, for good')
    .argument('[key]', 'a tool use id, a delivery id, a key as stored, or the id of a row')
    .option('--session <id>', 'the session: its own id, or host:id of its host')
    .option('--dry-run', 'only show what would go')
    .option('--yes', 'do not ask; needed where nobody can be asked')
    .action(async (key: string | undefined, options: ForgetOptions) =>
      exit(
        await withServer(options.dataDir, context, async (steering) => {
          const { session } = options;
          const forget =
            key !== undefined
              ? (dryRun: boolean) => steering.forgetEvent(key, session, dryRun)
              : session !== undefined
                ? (dryRun: boolean) => steering.forgetSession(session, dryRun)
                : null;
          if (forget === null) {
            output.err('Name an event, or a session with --session.\n');
            return 1;
          }
          const would = await forget(true);
          output.out(`${key === undefined ? 'This session' : would.key}: what goes\n${countsText(would)}`);
          if (options.dryRun === true) return 0;
          const sure = options.yes === true || (await confirm('Forget it for good?', output));
          if (!sure) {
            output.err('Nothing was forgotten. Say --yes where nobody can be asked.\n');
            return 1;
          }
          await forget(false);
          output.out('Forgotten. It does not come back by spool, transcript or hook.\n');
          return 0;
        }),
      ),
    );
}
