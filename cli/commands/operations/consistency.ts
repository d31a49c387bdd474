import type { Command } from 'commander';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { withDataDir } from '../../data-dir.ts';
import { table } from '../../output.ts';
import { readCheck, startCheck } from '../../server/operations.ts';
import type { Check } from '../../server/operations.ts';
import { untilEnded } from '../../growing-pause.ts';
import { withServer } from '../../with-server.ts';

interface CheckOptions {
  readonly dataDir: string;
  readonly repair?: boolean;
  readonly wait: boolean;
  readonly json?: boolean;
}

/** What a comparison found, kind by kind. */
export function checkText(check: Check): string {
  const looked = `${check.rows} rows and objects were looked at.\n`;
  const kinds = Object.keys(check.found).toSorted();
  if (kinds.length === 0) return `${looked}Nothing differs.\n`;
  const rows = kinds.map((kind) => {
    const found = check.found[kind] ?? 0;
    const repaired = check.repaired[kind] ?? 0;
    return [kind, String(found), String(repaired), String(Math.max(0, found - repaired))];
  });
  return `${looked}${table([['KIND', 'FOUND', 'MENDED', 'LEFT'], ...rows])}`;
}

/** 1 where something was found and not mended, or the comparison did not come to its end. */
function exitOf(check: Check): ExitCode {
  return check.state === 'completed' && check.remaining === 0 ? 0 : 1;
}

export function addCheck(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  withDataDir(program.command('check'), environment)
    .description('compare the database with the vector index and the workflows')
    .option('--repair', 'mend what is found')
    .option('--no-wait', 'only start it')
    .option('--json', 'for programs')
    .action(async ({ dataDir, repair, wait, json }: CheckOptions) =>
      exit(
        await withServer(dataDir, context, async (_steering, client) => {
          const { id, job_id: jobId } = await startCheck(client, repair === true);
          if (!wait) {
            output.out(`${jobId ?? id} is started.\n`);
            return 0;
          }
          const check = await untilEnded(
            () => readCheck(client, id),
            ({ state }) => state,
          );
          if (json === true) output.out(`${JSON.stringify(check)}\n`);
          else output.out(checkText(check));
          if (check.state !== 'completed')
            output.err(`The comparison ${check.state}${check.error === null ? '' : `: ${check.error}`}.\n`);
          return exitOf(check);
        }),
      ),
    );
}
