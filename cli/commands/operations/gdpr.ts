import type { Command } from 'commander';
import { z } from 'zod';
import { meSchema } from '../../../contract/access.ts';
import { gdprRequestSchema, restrictionSchema } from '../../../contract/gdpr.ts';
import { memorySchema } from '../../../contract/memory.ts';
import { memoryHash } from '../../../domain/memory.ts';
import type { Cli } from '../../cli.ts';
import type { ServerClient } from '../../server/server-client.ts';
import { minuteOf, momentOf, sizeText } from '../../text/text-layout.ts';
import { exportFile, exportTo } from './export.ts';
import { addRequests } from './gdpr-requests.ts';

interface Subject {
  readonly user?: string;
  readonly session?: string;
}

interface ExportOptions {
  readonly user?: string;
  readonly includeRestricted?: boolean;
  readonly out?: string;
}

/** Returns the session or user that the options name; without one the caller. */
async function subjectOf(server: ServerClient, { user, session }: Subject): Promise<Subject> {
  if (session !== undefined) return user === undefined ? { session } : { session, user };
  return { user: user ?? (await server.get('/auth/me', meSchema)).user.username };
}

/** Adds `gdpr` with its subcommands: the rights of a person over the own data, and the requests. */
export function addGdpr(program: Command, cli: Cli): void {
  const description = 'use your rights over your data, and handle requests; recollect erase erases';
  const command = cli.command(program, 'gdpr', description);
  addRights(command, cli);
  addRequests(command, cli);
}

function addRights(command: Command, cli: Cli): void {
  const { output } = cli;
  const ofSubject = (name: string, description: string): Command =>
    cli
      .command(command, name, description)
      .option('--session <id>', 'one session')
      .option('--user <user>', 'another user, for admins: id or username (default: you)');

  cli
    .command(command, 'export', 'export all data of a user to a file')
    .option('--user <user>', 'another user, for admins: id or username (default: you)')
    .option('--include-restricted', 'for admins: include rows of the class restricted of another user')
    .option('--out <file>', 'output file (default: recollect-<day>.ndjson.zst)')
    .action(
      cli.onServer(async (server, { user, includeRestricted: include_restricted, out }: ExportOptions) => {
        const file = exportFile(out);
        const bytes = await exportTo(file, { route: '/gdpr/export', body: { user, include_restricted } }, server);
        output.out(`${file}\n${sizeText(bytes)}\n`);
      }),
    );
  ofSubject('restrict', 'exclude data from search, context and lists until a time, for all users')
    .requiredOption('--until <time>', 'last day (2026-01-31) or a time')
    .action(
      cli.onServer(async (server, { until, ...given }: Subject & { readonly until: string }) => {
        const body = { ...(await subjectOf(server, given)), until: momentOf(until, 'end') };
        const { restricted_until: end } = await server.post('/gdpr/restrict', restrictionSchema, body);
        output.out(`Restricted until ${minuteOf(end ?? until)} UTC. Nothing was deleted; capture continues.\n`);
      }),
    );
  ofSubject('lift', 'end a restriction').action(
    cli.onServer(async (server, given: Subject) => {
      const { user, session } = await subjectOf(server, given);
      await server.request('DELETE', '/gdpr/restrict', restrictionSchema, { query: { user, session } });
      output.out('The restriction has ended.\n');
    }),
  );
  cli
    .command(command, 'rectify', 'correct a memory')
    .argument('<memory>', 'id or hash of a memory')
    .option('--content <text>', 'correct text')
    .option('--title <title>', 'correct title')
    .action(
      cli.onServer(
        async (server, id: string, { content, title }: { readonly content?: string; readonly title?: string }) => {
          const body = { id, correction: { content, title } };
          const answer = await server.post('/gdpr/rectify', z.union([gdprRequestSchema, memorySchema]), body);
          output.out(
            'right' in answer
              ? `The request ${answer.id} waits for the decision of an admin: the memory is of another user.\n`
              : `Corrected: ${memoryHash(answer.id)}\n`,
          );
        },
      ),
    );
}
