import type { Command } from 'commander';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { dataDirOf, withDataDir } from '../../options.ts';
import { Backups } from '../../server/operations.ts';
import type { Backup } from '../../server/operations.ts';
import { untilEnded } from '../../waiting.ts';
import { withServer } from '../../with-server.ts';
import { table } from '../../output.ts';
import { ago } from '../../text/text-layout.ts';

const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'] as const;

/** Returns a size with three digits in the largest decimal unit. */
function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : Number(value.toPrecision(3))} ${UNITS[unit] ?? ''}`;
}

function verifiedText({ verified_at: at, verified_how: how, verify_error: error }: Backup, now: number): string {
  if (error !== null) return error;
  return at === null ? '-' : `${how ?? 'read'} ${ago(at, now)} ago`;
}

function stateText({ state, error, complete, removed_at: removedAt }: Backup): string {
  if (removedAt !== null) return 'removed';
  if (error === null) return state;
  return complete ? `${state}: ${error} (backup set complete)` : `${state}: ${error}`;
}

/** Returns backups as a table, newest first. */
function backupTable(backups: readonly Backup[], now: number): string {
  return table([
    ['BACKUP', 'STATE', 'AGE', 'ROWS', 'VECTORS', 'SIZE', 'KEY', 'VERIFIED', 'COPY'],
    ...backups.map((backup) => [
      backup.id,
      stateText(backup),
      ago(backup.snapshot_at ?? backup.created_at, now),
      backup.rows.toLocaleString('en-US'),
      backup.vectors.toLocaleString('en-US'),
      sizeText(backup.bytes),
      backup.encryption_key ?? '-',
      verifiedText(backup, now),
      backup.copy_verified_at === null ? '-' : 'verified',
    ]),
  ]);
}

/** Returns the figures of a completed backup in one line. */
function backupLine(backup: Backup): string {
  const { rows, vectors, files, bytes, plain_bytes: plainBytes } = backup;
  return `${backup.id}: ${rows.toLocaleString('en-US')} rows and ${vectors.toLocaleString('en-US')} vectors in ${files} files, ${sizeText(bytes)} (${sizeText(plainBytes)} before compression)${backup.encryption_key === null ? '' : ', encrypted'}${backup.copy_verified_at === null ? '' : ', copied and verified'}.\n`;
}

/** Adds `backup` with its subcommands. */
export function addBackup(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  const withBackups = (dataDir: string, work: (backups: Backups) => Promise<ExitCode>): Promise<ExitCode> =>
    withServer(dataDir, context, (_steering, client) => work(new Backups(client)));

  const command = withDataDir(program.command('backup'), environment)
    .description('create a backup of the instance')
    .option('--wait', 'wait until the backup is created, copied and verified')
    .action(async ({ dataDir, wait }: { readonly dataDir: string; readonly wait?: true }) =>
      exit(
        await withBackups(dataDir, async (backups) => {
          const started = await backups.create();
          if (wait !== true) {
            output.out(`${started.id} started. See recollect backup list.\n`);
            return 0;
          }
          const backup = await untilEnded(
            () => backups.show(started.id),
            ({ state }) => state,
          );
          if (backup.state === 'completed') {
            output.out(backupLine(backup));
            return 0;
          }
          output.err(`${backup.id} ${backup.state}${backup.error === null ? '' : `: ${backup.error}`}.\n`);
          if (backup.complete) output.err('The backup set is complete; a later step failed.\n');
          return 1;
        }),
      ),
    );

  withDataDir(command.command('list'), environment)
    .description('list backups, newest first')
    .option('--limit <count>', 'maximum number of rows, up to 100', '20')
    .option('--json', 'print JSON')
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
    .description('verify the hashes, encryption and signature of a backup')
    .argument('<id>', 'id as in recollect backup list')
    .action(async (given: string, _options: object, self: Command) =>
      exit(
        await withBackups(dataDirOf(self), async (backups) => {
          const { id, job_id: job } = await backups.verify(given);
          const state = await untilEnded(
            () => backups.stateOf(job),
            (state) => state,
          );
          if (state === 'completed') {
            output.out(`${id} verified.\n`);
            return 0;
          }
          const found = await backups.show(id).catch(() => null);
          output.err(`${id} failed verification: ${found?.verify_error ?? `the job ${state}`}.\n`);
          return 1;
        }),
      ),
    );
}
