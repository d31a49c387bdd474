import path from 'node:path';
import type { Command } from 'commander';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { withDataDir } from '../../options.ts';
import { withDataRequests } from '../../with-server.ts';

interface ExportOptions {
  readonly dataDir: string;
  readonly project?: string;
  readonly user?: string;
  readonly session?: string;
  readonly out?: string;
}

function bodyOf({ project, user, session }: ExportOptions): object {
  if (project !== undefined) return { scope: 'project', subject: project };
  if (user !== undefined) return { scope: 'user', subject: user };
  return session === undefined ? { scope: 'tenant' } : { scope: 'session', subject: session };
}

export function addExport(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  withDataDir(program.command('export'), context.environment)
    .description('export memories to a file for recollect import FILE')
    .option('--project <name>', 'export one project')
    .option('--user <name>', 'export one user')
    .option('--session <id>', 'export one session')
    .option('--out <file>', 'output file (default: recollect-<day>.ndjson.zst)')
    .action(async (options: ExportOptions) => {
      const day = new Date().toISOString().slice(0, 10);
      const file = path.resolve(options.out ?? `recollect-${day}.ndjson.zst`);
      exit(
        await withDataRequests(options.dataDir, context, async (server) => {
          const bytes = await server.export(bodyOf(options), file);
          context.output.out(`${file}\n${bytes} bytes\n`);
          return 0;
        }),
      );
    });
}

/** Imports an export file and prints the row counts. */
export function importFile(file: string, dataDir: string, context: CommandContext): Promise<ExitCode> {
  return withDataRequests(dataDir, context, async (server) => {
    const { state, error, read, written } = await server.import(path.resolve(file));
    const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((all, n) => all + n, 0);
    if (state !== 'completed') {
      context.output.err(`The import ${state}: ${error ?? ''}\n`);
      return 1;
    }
    context.output.out(`${sum(read)} rows read, ${sum(written)} new\n`);
    return 0;
  });
}
