import type { Command } from 'commander';
import { backupLine, backupTable } from '../../text/backup-text.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { dataDirOf, withDataDir } from '../../data-dir.ts';
import { Backups } from '../../server/operations.ts';
import { untilEnded } from '../../growing-pause.ts';
import { withServer } from '../../with-server.ts';

/** Adds `backup` with its subcommands. */
export function addBackup(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  const withBackups = (dataDir: string, work: (backups: Backups) => Promise<ExitCode>): Promise<ExitCode> =>
    withServer(dataDir, context, (_steering, client) => work(new Backups(client)));

  const command = withDataDir(program.command('backup'), environment)
    .description('make a backup of the instance now')
    .option('--wait', 'until it is made, copied and read back there')
    .action(async ({ dataDir, wait }: { readonly dataDir: string; readonly wait?: true }) =>
      exit(
        await withBackups(dataDir, async (backups) => {
          const begun = await backups.create();
          if (wait !== true) {
            output.out(`${begun.id} is being made; recollect backup list shows how far it is.\n`);
            return 0;
          }
          const backup = await untilEnded(
            () => backups.show(begun.id),
            ({ state }) => state,
          );
          if (backup.state === 'completed') {
            output.out(backupLine(backup));
            return 0;
          }
          output.err(`${backup.id} ${backup.state}${backup.error === null ? '' : `: ${backup.error}`}.\n`);
          if (backup.complete) output.err('Its set stands; what failed came after it.\n');
          return 1;
        }),
      ),
    );

  withDataDir(command.command('list'), environment)
    .description('list backups, the newest first')
    .option('--limit <count>', 'how many, 100 at most', '20')
    .option('--json', 'for programs')
    .action(async ({ limit, json }: { readonly limit: string; readonly json?: true }, self: Command) =>
      exit(
        await withBackups(dataDirOf(self), async (backups) => {
          const { data } = await backups.list(Number(limit));
          if (json === true) output.out(`${JSON.stringify(data)}\n`);
          else output.out(data.length === 0 ? 'No backups.\n' : backupTable(data, Date.now()));
          return 0;
        }),
      ),
    );

  withDataDir(command.command('verify'), environment)
    .description('read every file of a set back: hashes, encryption, signature')
    .argument('<set>', 'of recollect backup list, or of the store')
    .action(async (set: string, _options: object, self: Command) =>
      exit(
        await withBackups(dataDirOf(self), async (backups) => {
          const { id, job_id: job } = await backups.verify(set);
          const state = await untilEnded(
            () => backups.stateOf(job),
            (seen) => seen,
          );
          if (state === 'completed') {
            output.out(`${id} is as it was written.\n`);
            return 0;
          }
          const found = await backups.show(id).catch(() => null);
          output.err(`${id} is not to be trusted: ${found?.verify_error ?? `the look at it ${state}`}.\n`);
          return 1;
        }),
      ),
    );
}
