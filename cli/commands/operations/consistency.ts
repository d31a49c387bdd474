import type { Command } from 'commander';
import type { z } from 'zod';
import { checkSchema } from '../../../contract/operations.ts';
import type { Cli } from '../../cli.ts';
import { table } from '../../output.ts';
import { path } from '../../server/server-client.ts';

interface CheckOptions {
  readonly repair?: boolean;
  readonly wait: boolean;
  readonly json?: boolean;
}

/** Returns the differences of a consistency check by kind. */
function checkText(check: z.output<typeof checkSchema>): string {
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

/** Adds `consistency check`. */
export function addConsistency(program: Command, cli: Cli): void {
  const { output } = cli;
  const command = cli.command(program, 'consistency', 'check the consistency of the stores');
  cli
    .command(command, 'check', 'compare PostgreSQL with the vector index and the workflows')
    .option('--repair', 'repair the differences')
    .option('--no-wait', 'start the check without waiting for its end')
    .option('--json', 'print JSON')
    .action(
      cli.onServer(async (server, { repair = false, wait, json }: CheckOptions) => {
        const { id, job_id: jobId } = await server.post('/admin/consistency', checkSchema, { repair });
        if (!wait) {
          output.out(`${jobId ?? id} started.\n`);
          return 0;
        }
        const check = await server.ended(path`/admin/consistency/checks/${id}`, checkSchema);
        cli.print(json, check, checkText(check));
        if (check.state !== 'completed')
          output.err(`The consistency check ${check.state}${check.error === null ? '' : `: ${check.error}`}.\n`);
        return check.state === 'completed' && check.remaining === 0 ? 0 : 1;
      }),
    );
}
