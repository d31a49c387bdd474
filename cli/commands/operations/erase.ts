import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { eraseSpooled } from '../../../hook/spool/erase.ts';
import type { Spooled } from '../../../hook/spool/erase.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { confirm } from '../../confirm.ts';
import { withDataDir } from '../../data-dir.ts';
import type { DataRequests } from '../../server/data-requests.ts';
import { withKeep } from '../../with-server.ts';

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
 * What of the spool of this machine goes with it. A session is named there as its host names it, which the server knows while it has the session; one that
 * never came there is taken as it is written, up to its first colon the host. What another person said is not in the spool of who is somebody else.
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

/** Waits for who drains just now: that takes seconds, and what it delivers is erased there. */
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
    const held = Object.entries(await server.count(what));
    output.out(`The text stands in\n${held.map(([name, n]) => `  ${n} ${name.replaceAll('_', ' ')}\n`).join('')}`);
  }
  if (options.dryRun === true) return 0;
  if (options.yes !== true && !(await confirm('Erase it for good? This cannot be undone, nor called off.', output))) {
    output.err('Nothing was erased. Say --yes where nobody can be asked.\n');
    return 1;
  }
  // Before the server forgets how the host names it.
  const here = await spooledOf(server, kind, what);
  const spooled = await eraseHere(options.dataDir, here);
  if (spooled === null) output.err('The spool of this machine is being sent: what of it is erased is refused there.\n');
  const { id } = await server.erase(bodyOf(kind, what));
  const row = await server.erased(id);
  if (row === null) {
    output.out(`Erased, and this key with it. The receipt is receipts/${id}.json in the backup store.\n`);
    return 0;
  }
  if (row.state !== 'completed') {
    output.err(`The erasure ${id} ${row.state}: ${row.error ?? ''}\n`);
    return 1;
  }
  const removed = Object.entries(row.removed).map(([name, n]) => `  ${n} ${name.replaceAll('_', ' ')}\n`);
  output.out(
    `Erased.\n${removed.join('')}${spooled !== null && spooled > 0 ? `  ${spooled} events of the spool of this machine\n` : ''}`,
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
    .option('--dry-run', 'of a text: only count what holds it')
    .option('--yes', 'do not ask; needed where nobody can be asked')
    .action(async (given: string, what: string | undefined, options: EraseOptions) => {
      const kind = z.enum(KINDS).safeParse(given);
      if (!kind.success) {
        context.output.err(`One of ${KINDS.join(', ')}.\n`);
        exit(1);
        return;
      }
      exit(await withKeep(options.dataDir, context, (server) => erase(server, kind.data, what, options, context)));
    });
}
