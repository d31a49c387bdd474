import type { Command } from 'commander';
import type { CommandContext, ExitCode } from '../command-context.ts';
import { dataDirOf, withDataDir } from '../data-dir.ts';
import { restoreTable, restoreText } from '../restore-text.ts';
import { Restores } from '../server/restores.ts';
import type { Restore } from '../server/restores.ts';
import { ClientError } from '../server/server-client.ts';
import { withServer } from '../with-server.ts';

const LOOK_MS = 1_000;
/** While the databases change places the server answers that storage is away. */
const PASSING: ReadonlySet<string> = new Set(['UNAVAILABLE', 'UNREACHABLE', 'INVALID_API_KEY']);
const MAX_MISSED = 60;

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
      if (!(error instanceof ClientError) || !PASSING.has(error.code) || missed >= MAX_MISSED) throw error;
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

  const done = async (restores: Restores, begun: Restore, wait: boolean): Promise<ExitCode> => {
    if (!wait) {
      output.out(`${begun.id} is under way; recollect restore list shows how far it is.\n`);
      return 0;
    }
    const restore = await ended(restores, begun.id);
    if (restore.state === 'done') {
      output.out(restoreText(restore));
      return 0;
    }
    const why = [restore.error, restore.message].filter((part) => part !== null).join(': ');
    output.err(`${restore.id} ${restore.state}${why === '' ? '' : `: ${why}`}.\n`);
    return 1;
  };

  const command = withDataDir(program.command('restore'), environment)
    .description('restore a backup set into this instance')
    .argument('[set]', 'of recollect backup list; default: the newest')
    .option('--from <address>', 'folder or s3://bucket/prefix to read the set from')
    .option('--signer <fingerprint>', 'trust this signer of another instance, this once')
    .option('--overwrite', 'replace the sessions and learnings that are here; they are kept in another database')
    .option('--dry-run', 'only read the set through, every byte of it')
    .option('--wait', 'until it is done')
    .action(async (set: string | undefined, { dataDir, from, signer, overwrite, dryRun, wait }: Order) =>
      exit(
        await withRestores(dataDir, async (restores) =>
          done(
            restores,
            await restores.restore({ set, store: from, signer, overwrite, dry_run: dryRun }),
            wait === true,
          ),
        ),
      ),
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
    .option('--from <address>', 'folder or s3://bucket/prefix to read the set from')
    .option('--signer <fingerprint>', 'trust this signer of another instance, this once')
    .option('--wait', 'until it is done')
    .action(async ({ dataDir, set, from, signer, wait }: Order) =>
      exit(
        await withRestores(dataDir, async (restores) =>
          done(restores, await restores.drill({ set, store: from, signer }), wait === true),
        ),
      ),
    );
}
