import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { eraseSpooled } from '../../../hook/spool/erase.ts';
import type { Spooled } from '../../../hook/spool/erase.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { confirm } from '../../confirm.ts';
import { withDataDir } from '../../options.ts';
import type { DataRequests } from '../../server/data-requests.ts';
import { withDataRequests } from '../../with-server.ts';

interface EraseOptions {
  readonly dataDir: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

const KINDS = ['session', 'user', 'tenant', 'text'] as const;
type Kind = (typeof KINDS)[number];

const SPOOL_TRIES = 20;
const SPOOL_WAIT_MS = 250;

function bodyOf(kind: Kind, what: string | undefined): object {
  switch (kind) {
    case 'session':
      return { kind, session: what };
    case 'user':
      return { kind, ...(what === undefined ? {} : { user: what }) };
    case 'tenant':
      return { kind, name: what };
    case 'text':
      return { kind, text: what };
  }
}

/**
 * Returns the matching part of this machine's spool. The spool identifies a session by its host's id, which the server knows while it stores the
 * session; else `what` is parsed as host:id. Another user's events are not in this user's spool.
 */
async function spooledOf(server: DataRequests, kind: Kind, what: string | undefined): Promise<Spooled | null> {
  switch (kind) {
    case 'text':
      return what === undefined ? null : { kind: 'text', text: what };
    case 'tenant':
      return { kind: 'all' };
    case 'user':
      return what === undefined ? { kind: 'all' } : null;
    case 'session': {
      if (what === undefined) return null;
      const known = await server.sessionOfHost(what);
      const colon = what.indexOf(':');
      if (known !== null) return { kind: 'session', ...known };
      return colon > 0 ? { kind: 'session', host: what.slice(0, colon), id: what.slice(colon + 1) } : null;
    }
  }
}

/** Erases from the spool; waits up to 5 s for a running drainer. Returns null if it still runs: the server erases what it delivers. */
async function eraseHere(dataDir: string, what: Spooled | null): Promise<number | null> {
  if (what === null) return 0;
  for (let tries = 0; tries < SPOOL_TRIES; tries += 1) {
    const erased = eraseSpooled(dataDir, what);
    if (erased !== null) return erased;
    await wait(SPOOL_WAIT_MS);
  }
  return null;
}

async function erase(
  server: DataRequests,
  kind: Kind,
  what: string | undefined,
  options: EraseOptions,
  { output }: CommandContext,
): Promise<ExitCode> {
  if (what === undefined && kind !== 'user') {
    output.err(`Name the ${kind}.\n`);
    return 1;
  }
  if (kind === 'text' && what !== undefined) {
    const found = Object.entries(await server.count(what));
    output.out(`The text occurs in\n${found.map(([name, n]) => `  ${n} ${name.replaceAll('_', ' ')}\n`).join('')}`);
  }
  if (options.dryRun === true) return 0;
  if (options.yes !== true && !(await confirm('Erase permanently? This cannot be undone or cancelled.', output))) {
    output.err('Nothing was erased. Without a terminal, pass --yes.\n');
    return 1;
  }
  // First: after the erasure the server no longer knows the host's id of the session.
  const here = await spooledOf(server, kind, what);
  const spooled = await eraseHere(options.dataDir, here);
  if (spooled === null) output.err('The spool of this machine is being drained: the server rejects erased events.\n');
  const { id } = await server.erase(bodyOf(kind, what));
  const row = await server.erased(id);
  if (row === null) {
    output.out(`Erased, including this API key. The receipt is receipts/${id}.json in the backup store.\n`);
    return 0;
  }
  if (row.state !== 'completed') {
    output.err(`The erasure ${id} ${row.state}: ${row.error ?? ''}\n`);
    return 1;
  }
  const removed = Object.entries(row.removed).map(([name, n]) => `  ${n} ${name.replaceAll('_', ' ')}\n`);
  output.out(
    `Erased.\n${removed.join('')}${spooled !== null && spooled > 0 ? `  ${spooled} spooled events of this machine\n` : ''}`,
  );
  output.out(
    `Receipt ${id}, SHA-256 ${row.receipt?.sha256 ?? ''}${row.receipt?.signature === null ? '' : ', signed'}\n`,
  );
  return 0;
}

export function addErase(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  withDataDir(program.command('erase'), context.environment)
    .description('erase a session, a user, the tenant or a text everywhere, backups included, with a receipt')
    .argument('<kind>', KINDS.join(', '))
    .argument('[what]', 'the session, the user (default: yourself), the tenant’s name, or the text, exactly')
    .option('--dry-run', 'for a text: count its occurrences and erase nothing')
    .option('--yes', 'skip the confirmation; required without a terminal')
    .action(async (given: string, what: string | undefined, options: EraseOptions) => {
      const kind = z.enum(KINDS).safeParse(given);
      if (!kind.success) {
        context.output.err(`Unknown kind. Expected one of ${KINDS.join(', ')}.\n`);
        exit(1);
        return;
      }
      exit(
        await withDataRequests(options.dataDir, context, (server) => erase(server, kind.data, what, options, context)),
      );
    });
}
