import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { eraseSpooled } from '../../../hook/spool/erase.ts';
import type { Spooled } from '../../../hook/spool/erase.ts';
import { RecollectError } from '../../../client/index.ts';
import { meSchema } from '../../../contract/access.ts';
import { gdprRequestSchema, foundText } from '../../../contract/gdpr.ts';
import type { Cli } from '../../cli.ts';
import type { ExitCode } from '../../command-context.ts';
import { confirm } from '../../confirm.ts';
import { path } from '../../server/server-client.ts';
import type { ServerClient } from '../../server/server-client.ts';
import { counted } from '../../text/text-layout.ts';

interface EraseOptions {
  readonly dataDir: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

const KINDS = ['session', 'user', 'tenant', 'text'] as const;
type Kind = (typeof KINDS)[number];

const SPOOL_TRIES = 20;
const SPOOL_WAIT_MS = 250;

function bodyOf(kind: Kind, what: string): object {
  switch (kind) {
    case 'session':
      return { kind, session: what };
    case 'user':
      return { kind, user: what };
    case 'tenant':
      return { kind, name: what };
    case 'text':
      return { kind, text: what };
  }
}

/** Returns the answer; null if the server rejects the request with `status`. */
async function unless<Answer>(status: number, answer: Promise<Answer>): Promise<Answer | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof RecollectError && error.status === status) return null;
    throw error;
  }
}

/**
 * Returns the matching part of this machine's spool. The spool identifies a session by its host's id, which the server knows while it stores the
 * session; else `what` is parsed as host:id. Another user's events are not in this user's spool.
 */
async function spooledOf(server: ServerClient, kind: Kind, what: string): Promise<Spooled | null> {
  switch (kind) {
    case 'text':
      return { kind: 'text', text: what };
    case 'tenant':
      return { kind: 'all' };
    case 'user': {
      const { user } = await server.get('/auth/me', meSchema);
      return what === user.username || what === user.id ? { kind: 'all' } : null;
    }
    case 'session': {
      const known = await unless(404, server.session(what));
      const colon = what.indexOf(':');
      if (known !== null) return { kind: 'session', host: known.host, id: known.external_id };
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
  server: ServerClient,
  kind: Kind,
  what: string | undefined,
  options: EraseOptions,
  { output }: Cli,
): Promise<ExitCode> {
  if (what === undefined) {
    output.err(
      `Name the ${kind}${kind === 'user' ? ', also to erase yourself: recollect whoami prints your name' : ''}.\n`,
    );
    return 1;
  }
  if (kind === 'text') {
    const body = { kind: 'text', text: what, dry_run: true };
    // 403: only admins count; the request of others waits for an admin.
    const preview = await unless(403, server.post('/gdpr/erase', foundText, body));
    if (preview === null && options.dryRun === true) {
      output.err('Only an admin may count the occurrences of a text.\n');
      return 1;
    }
    if (preview !== null)
      output.out(
        `The text occurs in\n${Object.entries(preview.found)
          .map(([name, n]) => `  ${counted(n, name.replaceAll('_', ' '))}\n`)
          .join(
            '',
          )}Also erased: what was derived from them, their vectors and full values, and all exports of the tenant.\n`,
      );
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
  const { id, state } = await server.post('/gdpr/erase', gdprRequestSchema, bodyOf(kind, what));
  if (state === 'waiting') {
    output.out(`The request ${id} waits for the decision of an admin: others may share the text.\n`);
    return 0;
  }
  // 401: the key is no longer valid because its owner was erased.
  const row = await unless(401, server.ended(path`/gdpr/requests/${id}`, gdprRequestSchema));
  if (row === null) {
    output.out(`Erased, including this API key. The receipt is receipts/${id}.json in the backup store.\n`);
    return 0;
  }
  if (row.state !== 'completed') {
    output.err(`The erasure ${id} ${row.state}: ${row.error ?? ''}\n`);
    return 1;
  }
  const removed = Object.entries(row.removed).map(([name, n]) => `  ${counted(n, name.replaceAll('_', ' '))}\n`);
  output.out(
    `Erased.\n${removed.join('')}${spooled !== null && spooled > 0 ? `  ${counted(spooled, 'spooled events of this machine')}\n` : ''}`,
  );
  output.out(
    `Receipt ${id}, SHA-256 ${row.receipt?.sha256 ?? ''}${row.receipt?.signature === null ? '' : ', signed'}\n`,
  );
  return 0;
}

export function addErase(program: Command, cli: Cli): void {
  const description = 'erase a session, a user, the tenant or a text everywhere, backups included, with a receipt';
  const onServer = cli.onServer(
    async (server: ServerClient, kind: Kind, what: string | undefined, options: EraseOptions, _self: Command) =>
      erase(server, kind, what, options, cli),
  );
  cli
    .command(program, 'erase', description)
    .argument('<kind>', KINDS.join(', '))
    .argument('[what]', 'the session, the user, the tenant’s name, or the text, exactly')
    .option('--dry-run', 'for a text: count its occurrences and erase nothing')
    .option('--yes', 'skip the confirmation; required without a terminal')
    .action(async (given: string, what: string | undefined, options: EraseOptions, self: Command) => {
      const kind = z.enum(KINDS).safeParse(given);
      if (kind.success) return onServer(kind.data, what, options, self);
      cli.output.err(`Unknown kind. Expected one of ${KINDS.join(', ')}.\n`);
      cli.exit(1);
    });
}
