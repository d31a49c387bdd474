import { createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import type { z } from 'zod';
import { RecollectError } from '../../../client/index.ts';
import { exportSchema, fileImportSchema } from '../../../contract/gdpr.ts';
import { newestOf } from '../../../contract/shared.ts';
import type { Cli } from '../../cli.ts';
import type { ExitCode } from '../../command-context.ts';
import { path } from '../../server/server-client.ts';
import type { ServerClient } from '../../server/server-client.ts';
import { minuteOf, sizeText } from '../../text/text-layout.ts';
import { table } from '../../output.ts';

interface ExportOptions {
  readonly project?: string;
  readonly user?: string;
  readonly session?: string;
  readonly out?: string;
  readonly includeRestricted?: boolean;
}

function failure(code: string, message: string, cause?: unknown): RecollectError {
  return new RecollectError(message, { status: 0, code, cause });
}

/** Returns the path of an export file; without a name, one with today's date in this folder. */
export function exportFile(name: string | undefined): string {
  return resolve(name ?? `recollect-${new Date().toISOString().slice(0, 10)}.ndjson.zst`);
}

function bodyOf({ project, user, session, includeRestricted: include_restricted }: ExportOptions): object {
  if (project !== undefined) return { scope: 'project', subject: project, include_restricted };
  if (user !== undefined) return { scope: 'user', subject: user, include_restricted };
  return session === undefined
    ? { scope: 'tenant', include_restricted }
    : { scope: 'session', subject: session, include_restricted };
}

/** Exports memory into a local file, which appears complete or not at all. Returns its bytes. Rejects with RecollectError. */
export async function exportTo(
  file: string,
  { route, body }: { readonly route: '/exports' | '/gdpr/export'; readonly body: object },
  server: ServerClient,
): Promise<number> {
  const { id } = await server.post(route, exportSchema, body);
  const row = await server.ended(path`/exports/${id}`, exportSchema);
  if (row.state !== 'completed') throw failure('EXPORT_FAILED', `the export ${row.state}: ${row.error ?? ''}`);
  const partial = `${file}.part`;
  try {
    const content = Readable.fromWeb(await server.download(path`/exports/${id}/file`));
    await pipeline(content, createWriteStream(partial, { mode: 0o600 }));
    await rename(partial, file);
  } finally {
    await rm(partial, { force: true });
  }
  return row.bytes;
}

function exportsText(exports: readonly z.output<typeof exportSchema>[]): string {
  if (exports.length === 0) return 'No exports.\n';
  const rows = exports.map(({ id, scope, state, bytes, created_at: at }) => [
    id,
    scope,
    state,
    sizeText(bytes),
    minuteOf(at),
  ]);
  return table([['EXPORT', 'SCOPE', 'STATE', 'SIZE', 'CREATED (UTC)'], ...rows]);
}

export function addExport(program: Command, cli: Cli): void {
  const command = cli.command(program, 'export', 'export memories to a file for recollect import FILE');
  cli
    .command(command, 'list', 'list the newest exports')
    .option('--json', 'print JSON')
    .action(
      cli.onServer(async (server, { json }: { readonly json?: true }) => {
        const { data } = await server.get('/exports', newestOf(exportSchema));
        cli.print(json, data, exportsText(data));
      }),
    );
  command
    .option('--project <name>', 'export one project')
    .option('--user <name>', 'export one user')
    .option('--session <id>', 'export one session')
    .option('--include-restricted', 'for admins: include rows of the class restricted of other users')
    .option('--out <file>', 'output file (default: recollect-<day>.ndjson.zst)')
    .action(
      cli.onServer(async (server, options: ExportOptions) => {
        const file = exportFile(options.out);
        const bytes = await exportTo(file, { route: '/exports', body: bodyOf(options) }, server);
        cli.output.out(`${file}\n${sizeText(bytes)}\n`);
      }),
    );
}

/** Uploads an export file, waits for the end of its import and prints the row counts. Rejects with RecollectError. */
export async function importFile(server: ServerClient, given: string, { output }: Cli): Promise<ExitCode> {
  const file = resolve(given);
  const opened = await open(file).catch((cause: unknown) => {
    throw failure('FILE_UNREADABLE', `${file} cannot be read`, cause);
  });
  const content = Readable.toWeb(opened.createReadStream());
  const { id } = await server.upload('/imports/files', 'application/zstd', content, fileImportSchema);
  const { state, error, read, written } = await server.ended(path`/imports/files/${id}`, fileImportSchema);
  if (state !== 'completed') {
    output.err(
      error === 'ExportFileError'
        ? `${file} is no export file of Recollect that this instance can import: it is another file, damaged, of a newer version, or of another tenant.\n`
        : `The import ${state}: ${error ?? ''}\n`,
    );
    return 1;
  }
  const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((all, n) => all + n, 0);
  output.out(`${sum(read)} rows read, ${sum(written)} new\n`);
  return 0;
}
