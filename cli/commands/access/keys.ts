import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { z } from 'zod';
import { createdKey, keySchema, MAX_OVERLAP_S, rotatedKey } from '../../../contract/access.ts';
import { pageOfItems } from '../../../contract/shared.ts';
import { SCOPES } from '../../../domain/access.ts';
import type { Scope } from '../../../domain/access.ts';
import type { Cli } from '../../cli.ts';
import { integer } from '../../options.ts';
import { path } from '../../server/server-client.ts';
import { keysText, newKeyText } from '../../text/access-text.ts';
import { minuteOf, momentOf } from '../../text/text-layout.ts';

interface OwnOption {
  readonly own?: boolean;
}

interface ListOptions extends OwnOption {
  readonly user?: string;
  readonly ended?: boolean;
  readonly limit: string;
  readonly json?: boolean;
}

interface CreateOptions {
  readonly user?: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt?: string;
  readonly perMinute?: number;
  readonly namespaces?: readonly string[];
  readonly projects?: readonly string[];
}

function parseScopes(given: string): readonly Scope[] {
  const scopes = z.array(z.enum(SCOPES)).safeParse(given.split(',')).data;
  if (scopes !== undefined) return scopes;
  throw new InvalidArgumentError(`Expected scopes joined by commas, of ${SCOPES.join(', ')}.`);
}

const OWN = ['--own', 'of your own keys; needs no admin'] as const;

/** Returns the address of the keys that a command is about. */
function keysPath(own = false): string {
  return own ? '/auth/api-keys' : '/admin/api-keys';
}

const parseNames = (given: string): readonly string[] => given.split(',');

/** Adds `keys` with its subcommands. */
export function addKeys(program: Command, cli: Cli): void {
  const { output } = cli;
  const command = cli.command(
    program,
    'keys',
    'list, create, revoke and rotate API keys of your tenant; for admins (--own: your keys)',
  );

  cli
    .command(command, 'list', 'list keys; the keys themselves are not stored')
    .addOption(new Option('--user <user>', 'limit the list to a user: id or username').conflicts('own'))
    .option(...OWN)
    .option('--ended', 'include revoked and expired keys')
    .option('--limit <count>', 'maximum number of rows, up to 100', '50')
    .option('--json', 'print JSON')
    .action(
      cli.onServer(async (server, { user, own, ended: revoked, limit, json }: ListOptions) => {
        const query = { user, revoked, limit: Number(limit) };
        const { data } = await server.get(keysPath(own), pageOfItems(keySchema), query);
        cli.print(json, data, keysText(data, Date.now()));
      }),
    );
  cli
    .command(command, 'create', 'create a key and print it once')
    .argument('<name>', 'purpose of the key')
    .requiredOption('--scopes <scopes>', `of ${SCOPES.join(', ')}, joined by commas`, parseScopes)
    .option('--user <user>', 'id or username (default: you)')
    .option('--expires-at <time>', 'last day (2026-01-02) or a time; without it the key does not expire')
    .option('--namespaces <names>', 'bind the key to these namespaces, joined by commas', parseNames)
    .option(
      '--projects <names>',
      'bind the key to these projects, joined by commas: id, remote, path or name',
      parseNames,
    )
    .option('--per-minute <count>', 'requests per minute, captures excepted', integer(1, 1_000_000))
    .action(
      cli.onServer(
        async (server, name: string, { user, scopes, expiresAt, perMinute, namespaces, projects }: CreateOptions) => {
          const expires_at = momentOf(expiresAt, 'end');
          const body = { user, name, scopes, expires_at, requests_per_minute: perMinute, namespaces, projects };
          output.out(newKeyText(await server.post('/admin/api-keys', createdKey, body)));
        },
      ),
    );
  cli
    .command(command, 'revoke', 'stop a key at once')
    .argument('<key>', 'id of a key')
    .option(...OWN)
    .action(
      cli.onServer(async (server, id: string, { own }: OwnOption) => {
        const { name, username } = await server.request('DELETE', keysPath(own) + path`/${id}`, keySchema);
        output.out(`Revoked: ${name} of ${username}.\n`);
      }),
    );
  cli
    .command(command, 'rotate', 'replace a key by a new one with the same rights, and print it once')
    .argument('<key>', 'id of a key')
    .option(...OWN)
    .option('--overlap-s <seconds>', 'how long the old key still works (default: a day)', integer(0, MAX_OVERLAP_S))
    .action(
      cli.onServer(async (server, id: string, { own, overlapS }: OwnOption & { readonly overlapS?: number }) => {
        const answer = await server.post(keysPath(own) + path`/${id}/rotate`, rotatedKey, { overlap_s: overlapS });
        output.out(`${newKeyText(answer)}The old key ends at ${minuteOf(answer.replaced.expires_at ?? '')} UTC.\n`);
      }),
    );
}
