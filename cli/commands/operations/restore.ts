import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { localAccess, requestRestore } from '../../../infra/instance/request-restore.ts';
import type { RestoreRequest } from '../../../infra/instance/request-restore.ts';
import { STORE_ADDRESS } from '../../../config/archive-settings.ts';
import type { z } from 'zod';
import { restoreSchema } from '../../../contract/backups.ts';
import { dataOf } from '../../../contract/shared.ts';
import type { Cli } from '../../cli.ts';
import type { ExitCode } from '../../command-context.ts';
import { isUuid } from '../../options.ts';
import { RecollectError } from '../../../client/index.ts';
import { table } from '../../output.ts';
import { path } from '../../server/server-client.ts';
import type { ServerClient } from '../../server/server-client.ts';
import { terminalText } from '../../text/terminal-text.ts';
import { ago, grouped } from '../../text/text-layout.ts';

type Restore = z.output<typeof restoreSchema>;

/** Returns restores and drills as a table, newest first. */
function restoreTable(restores: readonly Restore[], now: number): string {
  return table([
    ['RESTORE', 'KIND', 'STATE', 'AGE', 'BACKUP', 'ROWS', 'VECTORS'],
    ...restores.map((restore) => [
      restore.id,
      restore.dry_run ? 'dry run' : restore.kind,
      restore.error ?? (restore.state === 'running' ? restore.phase : restore.state),
      ago(restore.created_at, now),
      restore.backup_id ?? '-',
      grouped(restore.counts['rows_done'] ?? 0),
      grouped(restore.counts['vectors_done'] ?? 0),
    ]),
  ]);
}

/** Returns the faults of the erasure journal, one line each. */
function journalText({ faults, examples }: NonNullable<NonNullable<Restore['result']>['journal']>): string[] {
  const found = Object.entries(faults).map(([fault, count]) => `${count} ${fault}`);
  if (found.length === 0) return [];
  return [
    `The erasure journal is damaged (${found.join(', ')}): data that these entries erased may be restored. See docs/restore.md.`,
    ...examples.map((example) => `  ${terminalText(example)}`),
  ];
}

/** Returns the result of a completed restore or drill, line by line. */
function restoreText({ backup_id: set, kind, dry_run: isDryRun, result }: Restore): string {
  if (isDryRun) return `${set ?? ''} can be restored: all files verified.\n`;
  const { tables, queries, vectors, seconds, sessions_resumed: resumed, replaced, journal, files } = result ?? {};
  const lines = [
    `${set ?? ''} restored${kind === 'drill' ? ' as a drill' : ''} in ${Math.round(seconds?.total ?? 0)} s.`,
    ...(tables === undefined ? [] : [`${grouped(tables.rows)} rows equal the backup byte for byte.`]),
    ...(queries === undefined ? [] : [`${queries.asked} fixed queries returned the recorded results.`]),
    ...(vectors === undefined
      ? []
      : [
          `${grouped(vectors.objects)} vectors loaded${vectors.pending === 0 ? '' : `, ${grouped(vectors.pending)} to embed again`}.`,
        ]),
    ...(files === undefined || files.restored === 0
      ? []
      : [`${grouped(files.restored)} files of archived sessions restored.`]),
    ...(files === undefined || files.missing === 0
      ? []
      : [`${grouped(files.missing)} files of archived sessions are missing.`]),
    ...(resumed === undefined ? [] : [`${grouped(resumed)} sessions resumed.`]),
    ...(journal === undefined || journal.erasures === 0
      ? []
      : [`${grouped(journal.erasures)} later erasures applied again.`]),
    ...(journal === undefined ? [] : journalText(journal)),
    ...(replaced === undefined ? [] : [`The replaced database remains as ${replaced}.`]),
  ];
  return `${lines.join('\n')}\n`;
}

const POLL_MS = 1_000;
/** Expected while the restore swaps the databases. */
const SWAP_ERRORS: ReadonlySet<string> = new Set(['STORAGE_UNAVAILABLE', 'UNREACHABLE', 'TIMEOUT', 'INVALID_API_KEY']);
const MAX_FAILED_POLLS = 60;

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
async function ended(server: ServerClient, id: string): Promise<Restore> {
  for (let failed = 0; ; await sleep(POLL_MS)) {
    try {
      const restore = await server.get(path`/admin/restores/${id}`, restoreSchema);
      if (restore.state !== 'running') return restore;
      failed = 0;
    } catch (error) {
      if (!(error instanceof RecollectError) || !SWAP_ERRORS.has(error.code) || failed >= MAX_FAILED_POLLS) throw error;
      failed += 1;
    }
  }
}

/** Returns the fault of a request that bypasses the API; null for a valid one. */
function faultOf({ store, signer, backupId }: RestoreRequest): string | null {
  if (store !== null && store !== COPY && !STORE_ADDRESS.test(store))
    return '--from must be the absolute path of a folder, or s3://bucket/prefix';
  if (signer !== null && !FINGERPRINT.test(signer)) return '--signer must be a fingerprint of 16 hex characters';
  if (backupId !== null && !isUuid(backupId)) return 'the backup must be an id as in recollect backup list';
  return null;
}

/** Adds `restore` with its subcommand, and `drill`. */
export function addRestore(program: Command, cli: Cli): void {
  const { output, environment } = cli;

  const finish = async (server: ServerClient, id: string, wait: boolean): Promise<ExitCode> => {
    if (!wait) {
      output.out(`${id} started. See recollect restore list.\n`);
      return 0;
    }
    const restore = await ended(server, id);
    if (restore.state === 'completed') {
      output.out(restoreText(restore));
      return 0;
    }
    const reason = [restore.error, restore.message].filter((part) => part !== null).join(': ');
    output.err(`${restore.id} ${restore.state}${reason === '' ? '' : `: ${reason}`}.\n`);
    return 1;
  };

  /** Starts a restore without the API, which accepts only stores and signers of its settings. The local secrets authorise it. */
  const startLocally = async (dataDir: string, request: RestoreRequest): Promise<string | null> => {
    const fault = faultOf(request);
    const access = fault === null ? localAccess(dataDir, environment) : null;
    const id = access === null ? null : await requestRestore(access, request);
    if (id === null)
      output.err(
        `${
          fault ??
          (access === null
            ? 'Stores and signers outside the settings are allowed only on the machine of the instance, with its data directory.'
            : 'Another restore or drill is running. Wait until it ends.')
        }\n`,
      );
    return id;
  };

  const start = async (server: ServerClient, kind: RestoreRequest['kind'], options: Options): Promise<ExitCode> => {
    const { backup: set, from, signer, overwrite, dryRun, wait } = options;
    if ((from === undefined || from === COPY) && signer === undefined) {
      const named = { backup_id: set, store: from };
      const body = kind === 'drill' ? named : { ...named, overwrite, dry_run: dryRun };
      const { id } = await server.post(`/admin/${kind}`, restoreSchema, body);
      return finish(server, id, wait === true);
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
    return id === null ? 1 : finish(server, id, wait === true);
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
