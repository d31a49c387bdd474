import type { Command } from 'commander';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { dataDirOf, withDataDir } from '../../options.ts';
import { table } from '../../output.ts';
import { readCheck, startCheck } from '../../server/operations.ts';
import type { Check } from '../../server/operations.ts';
import { untilEnded } from '../../waiting.ts';
import { withServer } from '../../with-server.ts';

interface CheckOptions {
  readonly repair?: boolean;
  readonly wait: boolean;
  readonly json?: boolean;
}

/** Returns the differences of a consistency check by kind. */
export function checkText(check: Check): string {
  const compared = `${check.rows} rows and objects compared.\n`;
  const kinds = Object.keys(check.found).toSorted();
  if (kinds.length === 0) return `${compared}No differences.\n`;
  const rows = kinds.map((kind) => {
    const found = check.found[kind] ?? 0;
    const repaired = check.repaired[kind] ?? 0;
    return [kind, String(found), String(repaired), String(Math.max(0, found - repaired))];
  });
  return `${compared}${table([['KIND', 'FOUND', 'REPAIRED', 'REMAINING'], ...rows])}`;
}

/** Returns 1 if differences remain or the check did not complete. */
function exitOf(check: Check): ExitCode {
  return check.state === 'completed' && check.remaining === 0 ? 0 : 1;
}

/** Adds `consistency check`. */
export function addConsistency(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  const command = withDataDir(program.command('consistency'), environment).description(
    'check the consistency of the stores',
  );
  withDataDir(command.command('check'), environment)
    .description('compare PostgreSQL with the vector index and the workflows')
    .option('--repair', 'repair the differences')
    .option('--no-wait', 'start the check without waiting for its end')
    .option('--json', 'print JSON')
    .action(async ({ repair, wait, json }: CheckOptions, self: Command) =>
      exit(
        await withServer(dataDirOf(self), context, async (_steering, client) => {
          const { id, job_id: jobId } = await startCheck(client, repair === true);
          if (!wait) {
            output.out(`${jobId ?? id} started.\n`);
            return 0;
          }
          const check = await untilEnded(
            () => readCheck(client, id),
            ({ state }) => state,
          );
          if (json === true) output.out(`${JSON.stringify(check)}\n`);
          else output.out(checkText(check));
          if (check.state !== 'completed')
            output.err(`The consistency check ${check.state}${check.error === null ? '' : `: ${check.error}`}.\n`);
          return exitOf(check);
        }),
      ),
    );
}
