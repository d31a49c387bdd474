import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { RestoreRequest } from '../../../infra/instance/request-restore.ts';
import type { ProgressStep } from '../../../infra/supervisor/progress.ts';
import { STORE_ADDRESS } from '../../../config/archive-settings.ts';
import { ConfigError } from '../../../config/config.ts';
import { RestoreError } from '../../../domain/backup/sets.ts';
import { restoreSchema } from '../../../contract/backups.ts';
import { dataOf } from '../../../contract/shared.ts';
import type { Cli } from '../../cli.ts';
import type { ExitCode } from '../../command-context.ts';
import { isUuid } from '../../options.ts';
import { RecollectError } from '../../../client/index.ts';
import { path } from '../../server/server-client.ts';
import type { ServerClient } from '../../server/server-client.ts';
import { isUnavailable, missingText } from '../../text/failure-text.ts';
import { progressText, restoreTable, restoreText } from '../../text/restore-text.ts';
import type { Restore } from '../../text/restore-text.ts';
import { terminalProgress } from '../../text/terminal-progress.ts';

const POLL_MS = 1_000;
/** Expected while the restore swaps the databases. */
const SWAP_ERRORS: ReadonlySet<string> = new Set(['STORAGE_UNAVAILABLE', 'UNREACHABLE', 'TIMEOUT', 'INVALID_API_KEY']);
const LONGEST_SWAP_MS = 60_000;
/** Longest time without any answer of the api. */
const LONGEST_SILENCE_MS = 10_000;

/** `--from` value for the copy store of the settings. */
const COPY = 'copy' as const;
const FINGERPRINT = /^[0-9a-f]{16}$/;

interface Options {
  readonly dataDir: string;
  readonly backup?: string;
  readonly from?: string;
  readonly signer?: string;
  readonly overwrite?: true;
  readonly dryRun?: true;
  readonly wait?: true;
}

/** Polls until a restore ends; tolerates failures during the swap. */
async function ended(server: ServerClient, id: string, step: ProgressStep): Promise<Restore> {
  let readAt = Date.now();
  let answeredAt = readAt;
  for (; ; await sleep(POLL_MS)) {
    try {
      const restore = await server.get(path`/admin/restores/${id}`, restoreSchema);
      if (restore.state !== 'running') return restore;
      step.update(progressText(restore));
      readAt = answeredAt = Date.now();
    } catch (error) {
      if (!(error instanceof RecollectError) || !SWAP_ERRORS.has(error.code)) throw error;
      if (!isUnavailable(error)) answeredAt = Date.now();
      step.update('waiting for the api');
      if (Date.now() > Math.min(answeredAt + LONGEST_SILENCE_MS, readAt + LONGEST_SWAP_MS)) throw error;
    }
  }
}

/** Returns the fault of a request that bypasses the API; null for a valid one. */
function faultOf({ store, signer, backupId }: RestoreRequest): string | null {
  if (store !== null && store !== COPY && !STORE_ADDRESS.test(store))
    return '--from must be the absolute path of a folder, or s3://bucket/prefix';
  if (signer !== null && !FINGERPRINT.test(signer)) return '--signer must be a fingerprint of 16 hex characters';
  if (backupId !== null && !isUuid(backupId)) return missingText('backup', backupId).trimEnd();
  return null;
}

/** Adds `restore` with its subcommand, and `drill`. */
export function addRestore(program: Command, cli: Cli): void {
  const { output, environment } = cli;

  const finish = async (
    server: ServerClient,
    kind: RestoreRequest['kind'],
    id: string,
    wait: boolean,
  ): Promise<ExitCode> => {
    if (!wait) {
      output.out(`${id} started. See recollect restore list.\n`);
      return 0;
    }
    const progress = terminalProgress(output, { verbose: false });
    const step = progress.step(kind);
    const restore = await ended(server, id, step).catch((error: unknown) => {
      progress.clear();
      if (error instanceof RecollectError && isUnavailable(error))
        output.err(`The ${kind} ${id} continues after the next recollect up.\n`);
      throw error;
    });
    if (restore.state === 'completed') {
      step.done();
      output.out(restoreText(restore));
      return 0;
    }
    step.fail(restore.state);
    const { backup_id: backup, error, message } = restore;
    const reason = [error, message].filter((part) => part !== null).join(': ');
    // Another store's backups are in no list.
    const isUnknown = error === 'BackupMissing' && restore.store === null && backup !== null;
    output.err(
      isUnknown ? missingText('backup', backup) : `${id} ${restore.state}${reason === '' ? '' : `: ${reason}`}.\n`,
    );
    return 1;
  };

  /** Starts a restore without the API, which accepts only stores and signers of its settings. The local secrets authorise it. */
  const startLocally = async (dataDir: string, request: RestoreRequest): Promise<string | null> => {
    const fault = faultOf(request);
    // Loaded by this command alone, with the clients of PostgreSQL and Temporal.
    const { localAccess, requestRestore, RestoreNotStarted } =
      await import('../../../infra/instance/request-restore.ts');
    try {
      const access = fault === null ? localAccess(dataDir, environment) : null;
      if (access !== null) return await requestRestore(access, request);
      output.err(
        `${fault ?? 'Stores and signers outside the settings are allowed only on the machine of the instance, with its data directory.'}\n`,
      );
    } catch (error) {
      if (error instanceof ConfigError) output.err(`${error.message}\n`);
      else if (error instanceof RestoreError || error instanceof RestoreNotStarted) output.err(`${error.message}.\n`);
      else throw error;
    }
    return null;
  };

  const start = async (server: ServerClient, kind: RestoreRequest['kind'], options: Options): Promise<ExitCode> => {
    const { backup: set, from, signer, overwrite, dryRun, wait } = options;
    if ((from === undefined || from === COPY) && signer === undefined) {
      const named = { backup_id: set, store: from };
      const body = kind === 'drill' ? named : { ...named, overwrite, dry_run: dryRun };
      const { id } = await server.post(`/admin/${kind}`, restoreSchema, body);
      return finish(server, kind, id, wait === true);
    }
    // Fails with the usual message if the instance does not run.
    await server.get('/admin/restores', dataOf(restoreSchema), { limit: 1 });
    const isPath = from !== undefined && from !== COPY && !from.startsWith('s3://');
    const id = await startLocally(options.dataDir, {
      kind,
      backupId: set ?? null,
      store: isPath ? resolve(from) : (from ?? null),
      signer: signer ?? null,
      overwrite: overwrite === true,
      dryRun: dryRun === true,
    });
    return id === null ? 1 : finish(server, kind, id, wait === true);
  };

  const addStart = (name: string, description: string): Command =>
    cli
      .command(program, name, description)
      .option(
        '--from <address>',
        '`copy` for the copy store; on the machine of the instance also a folder or s3://bucket/prefix',
      )
      .option(
        '--signer <fingerprint>',
        'accept this signer of another instance once; only on the machine of the instance',
      )
      .option('--wait', 'wait until the job ends');

  const command = addStart('restore', 'restore a backup into this instance')
    .argument('[backup]', 'id as in recollect backup list (default: newest)')
    .option('--overwrite', 'replace existing sessions and learnings; the replaced database remains')
    .option('--dry-run', 'verify all files of the backup and restore nothing')
    .action(
      cli.onServer((server, backup: string | undefined, options: Options) =>
        start(server, 'restore', backup === undefined ? options : { ...options, backup }),
      ),
    );

  cli
    .command(command, 'list', 'list restores and drills, newest first')
    .option('--limit <count>', 'maximum number of rows, up to 100', '20')
    .option('--json', 'print JSON')
    .action(
      cli.onServer(async (server, { limit, json }: { readonly limit: string; readonly json?: true }) => {
        const { data } = await server.get('/admin/restores', dataOf(restoreSchema), { limit: Number(limit) });
        cli.print(json, data, data.length === 0 ? 'No restores.\n' : restoreTable(data, Date.now()));
      }),
    );

  addStart('drill', 'restore a backup to a temporary database, verify it and delete it')
    .option('--backup <id>', 'id of the backup (default: newest)')
    .action(cli.onServer((server, options: Options) => start(server, 'drill', options)));
}
