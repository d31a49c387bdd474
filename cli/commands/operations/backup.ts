import type { Command } from 'commander';
import type { z } from 'zod';
import { backupSchema, backupsSchema, backupVerification } from '../../../contract/backups.ts';
import { jobAnswer } from '../../../contract/jobs.ts';
import type { Cli } from '../../cli.ts';
import { table } from '../../output.ts';
import { path } from '../../server/server-client.ts';
import { ago, grouped, sizeText } from '../../text/text-layout.ts';
import { untilEnded } from '../../waiting.ts';

type Backup = z.output<typeof backupSchema>;

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
    ['BACKUP', 'STATE', 'AGE', 'ROWS', 'VECTORS', 'SIZE', 'ENCRYPTION KEY', 'VERIFIED', 'OFF-SITE COPY'],
    ...backups.map((backup) => [
      backup.id,
      stateText(backup),
      ago(backup.snapshot_at ?? backup.created_at, now),
      grouped(backup.rows),
      grouped(backup.vectors),
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
  return `${backup.id}: ${grouped(rows)} rows and ${grouped(vectors)} vectors in ${files} files, ${sizeText(bytes)} (${sizeText(plainBytes)} before compression)${backup.encryption_key === null ? '' : ', encrypted'}${backup.copy_verified_at === null ? '' : ', copied and verified'}.\n`;
}

/** Adds `backup` with its subcommands. */
export function addBackup(program: Command, cli: Cli): void {
  const { output } = cli;
  const command = cli
    .command(program, 'backup', 'create a backup of the instance')
    .option('--wait', 'wait until the backup is created, copied and verified')
    .action(
      cli.onServer(async (server, { wait }: { readonly wait?: true }) => {
        const started = await server.post('/admin/backup', backupSchema);
        if (wait !== true) {
          output.out(`${started.id} started. See recollect backup list.\n`);
          return 0;
        }
        const backup = await server.ended(path`/admin/backups/${started.id}`, backupSchema);
        if (backup.state === 'completed') {
          output.out(backupLine(backup));
          return 0;
        }
        output.err(`${backup.id} ${backup.state}${backup.error === null ? '' : `: ${backup.error}`}.\n`);
        if (backup.complete) output.err('The backup set is complete; a later step failed.\n');
        return 1;
      }),
    );

  cli
    .command(command, 'list', 'list backups, newest first')
    .option('--limit <count>', 'maximum number of rows, up to 100', '20')
    .option('--json', 'print JSON')
    .action(
      cli.onServer(async (server, { limit, json }: { readonly limit: string; readonly json?: true }) => {
        const { data } = await server.get('/admin/backups', backupsSchema, { limit: Number(limit) });
        cli.print(json, data, data.length === 0 ? 'No backups.\n' : backupTable(data, Date.now()));
      }),
    );

  cli
    .command(command, 'verify', 'verify the hashes, encryption and signature of a backup')
    .argument('<id>', 'id as in recollect backup list')
    .action(
      cli.onServer(async (server, given: string) => {
        const { id, job_id: job } = await server.post(path`/admin/backups/${given}/verify`, backupVerification);
        const {
          job: { state },
        } = await untilEnded(
          () => server.get(path`/jobs/${job}`, jobAnswer),
          (answer) => answer.job.state,
        );
        if (state === 'completed') {
          output.out(`${id} verified.\n`);
          return 0;
        }
        const found = await server.get(path`/admin/backups/${id}`, backupSchema).catch(() => null);
        output.err(`${id} failed verification: ${found?.verify_error ?? `the job ${state}`}.\n`);
        return 1;
      }),
    );
}
