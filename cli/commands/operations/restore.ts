import path from 'node:path';
import type { Command } from 'commander';
import { localAccess, requestRestore } from '../../../infra/instance/request-restore.ts';
import type { RestoreRequest } from '../../../infra/instance/request-restore.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { dataDirOf, withDataDir } from '../../data-dir.ts';
import { restoreTable, restoreText } from '../../text/restore-text.ts';
import { Restores } from '../../server/operations.ts';
import type { Restore } from '../../server/operations.ts';
import { RecollectError } from '../../../client/index.ts';
import { withServer } from '../../with-server.ts';

const LOOK_MS = 1_000;
/** While the databases change places the server answers that storage is away. */
const PASSING: ReadonlySet<string> = new Set(['STORAGE_UNAVAILABLE', 'UNREACHABLE', 'TIMEOUT', 'INVALID_API_KEY']);
const MAX_MISSED = 60;

/** What `--from` names that the server knows by its settings. */
const COPY = 'copy' as const;
const FINGERPRINT = /^[0-9a-f]{16}$/;
const ADDRESS = /^(?:s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/[A-Za-z0-9._-]+)*\/?|\/[^\0]*)$/u;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const NOT_LOCAL =
  'Another place or signer than the settings name is given on the machine that the instance runs on, where its data directory lies.\n';

interface Order {
  readonly dataDir: string;
  readonly set?: string;
  readonly from?: string;
  readonly signer?: string;
  readonly overwrite?: true;
  readonly dryRun?: true;
  readonly wait?: true;
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, LOOK_MS));

async function ended(restores: Restores, id: string): Promise<Restore> {
  for (let missed = 0; ;) {
    try {
      const restore = await restores.show(id);
      if (restore.state !== 'running') return restore;
      missed = 0;
    } catch (error) {
      if (!(error instanceof RecollectError) || !PASSING.has(error.code) || missed >= MAX_MISSED) throw error;
      missed += 1;
    }
    await pause();
  }
}

/** Adds `restore` with its subcommand, and `drill`. */
export function addRestore(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  const withRestores = (dataDir: string, work: (restores: Restores) => Promise<ExitCode>): Promise<ExitCode> =>
    withServer(dataDir, context, (_steering, client) => work(new Restores(client)));

  const done = async (restores: Restores, begun: Pick<Restore, 'id'>, wait: boolean): Promise<ExitCode> => {
    if (!wait) {
      output.out(`${begun.id} is under way; recollect restore list shows how far it is.\n`);
      return 0;
    }
    const restore = await ended(restores, begun.id);
    if (restore.state === 'completed') {
      output.out(restoreText(restore));
      return 0;
    }
    const why = [restore.error, restore.message].filter((part) => part !== null).join(': ');
    output.err(`${restore.id} ${restore.state}${why === '' ? '' : `: ${why}`}.\n`);
    return 1;
  };

  /** Starts it past the server, which takes only stores and signers of its settings: this machine's secrets are what allows it. */
  const startHere = async (dataDir: string, request: RestoreRequest): Promise<string | null> => {
    const { address, signer, setId } = request;
    const wrong =
      (address !== null &&
        address !== COPY &&
        !ADDRESS.test(address) &&
        '--from needs the absolute path of a folder, or s3://bucket/prefix') ||
      (signer !== null && !FINGERPRINT.test(signer) && '--signer needs the 16 hex characters of a fingerprint') ||
      (setId !== null && !UUID.test(setId) && 'a set is named as recollect backup list shows it');
    if (wrong !== false) {
      output.err(`${wrong}\n`);
      return null;
    }
    const access = localAccess(dataDir, environment);
    if (access === null) {
      output.err(NOT_LOCAL);
      return null;
    }
    const id = await requestRestore(access, request);
    if (id === null) output.err('Another restore or drill is under way; one is done at a time.\n');
    return id;
  };

  const begin = (kind: RestoreRequest['kind'], order: Order): Promise<ExitCode> =>
    withRestores(order.dataDir, async (restores) => {
      const { set, from, signer, overwrite, dryRun, wait } = order;
      if ((from === undefined || from === COPY) && signer === undefined) {
        const named = { backup_id: set, store: from === undefined ? undefined : COPY };
        const begun =
          kind === 'drill'
            ? await restores.drill(named)
            : await restores.restore({ ...named, overwrite, dry_run: dryRun });
        return done(restores, begun, wait === true);
      }
      // Says it in a line where nothing runs.
      await restores.list(1);
      const id = await startHere(order.dataDir, {
        kind,
        setId: set ?? null,
        address:
          from === undefined || from === COPY ? (from ?? null) : from.startsWith('s3://') ? from : path.resolve(from),
        signer: signer ?? null,
        overwrite: overwrite === true,
        dryRun: dryRun === true,
      });
      return id === null ? 1 : done(restores, { id }, wait === true);
    });

  const command = withDataDir(program.command('restore'), environment)
    .description('restore a backup set into this instance')
    .argument('[set]', 'of recollect backup list; default: the newest')
    .option(
      '--from <address>',
      'copy, as the settings name it; on the machine of the instance also a folder or s3://bucket/prefix',
    )
    .option(
      '--signer <fingerprint>',
      'trust this signer of another instance, this once; on the machine of the instance alone',
    )
    .option('--overwrite', 'replace the sessions and learnings that are here; they are kept in another database')
    .option('--dry-run', 'only read the set through, every byte of it')
    .option('--wait', 'until it is done')
    .action(async (set: string | undefined, order: Order) =>
      exit(await begin('restore', set === undefined ? order : { ...order, set })),
    );

  withDataDir(command.command('list'), environment)
    .description('list restores and drills, the newest first')
    .option('--limit <count>', 'how many, 100 at most', '20')
    .option('--json', 'for programs')
    .action(async ({ limit, json }: { readonly limit: string; readonly json?: true }, self: Command) =>
      exit(
        await withRestores(dataDirOf(self), async (restores) => {
          const { data } = await restores.list(Number(limit));
          if (json === true) output.out(`${JSON.stringify(data)}\n`);
          else output.out(data.length === 0 ? 'No restores.\n' : restoreTable(data, Date.now()));
          return 0;
        }),
      ),
    );

  withDataDir(program.command('drill'), environment)
    .description('restore the newest backup beside this instance, compare, and take it away again')
    .option('--set <set>', 'another one than the newest')
    .option(
      '--from <address>',
      'copy, as the settings name it; on the machine of the instance also a folder or s3://bucket/prefix',
    )
    .option(
      '--signer <fingerprint>',
      'trust this signer of another instance, this once; on the machine of the instance alone',
    )
    .option('--wait', 'until it is done')
    .action(async (order: Order) => exit(await begin('drill', order)));
}
