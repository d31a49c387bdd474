import { createWriteStream } from 'node:fs';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { auditPage, auditVerification } from '../../../contract/audit.ts';
import type { AuditEntryAnswer } from '../../../contract/audit.ts';
import type { Cli } from '../../cli.ts';
import { table } from '../../output.ts';
import { terminalText } from '../../text/terminal-text.ts';

const LIST = '/admin/audit-log';
const FILTERS = ['user', 'action', 'subject', 'since', 'until', 'status'] as const;
type Filters = Readonly<Partial<Record<(typeof FILTERS)[number], string>>>;

/** Returns the filters of the options, without those that were not given. */
function filtersOf(options: Filters): Record<string, string> {
  return Object.fromEntries(
    FILTERS.flatMap((name) => {
      const value = options[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

function entriesText(entries: readonly AuditEntryAnswer[]): string {
  if (entries.length === 0) return 'No rows.\n';
  const rows = entries.map((entry) => [
    String(entry.seq),
    entry.occurred_at,
    entry.user_id ?? '-',
    terminalText(entry.action),
    terminalText(entry.subject_id ?? '-'),
    String(entry.status),
    terminalText(entry.address ?? '-'),
  ]);
  return table([['ROW', 'TIME (UTC)', 'USER', 'ACTION', 'SUBJECT', 'STATUS', 'ADDRESS'], ...rows]);
}

/** Adds `audit` with its subcommands. */
export function addAudit(program: Command, cli: Cli): void {
  const { output } = cli;
  const command = cli.command(program, 'audit', 'list, export and verify the audit log');
  const filtered = (name: string, description: string): Command =>
    cli
      .command(command, name, description)
      .option('--user <id>', 'requests of one user')
      .option('--action <action>', "requests of one route, as 'DELETE /memories/:id'")
      .option('--subject <id>', 'requests about one subject')
      .option('--since <time>', 'first time, as 2026-01-31T00:00:00Z')
      .option('--until <time>', 'end, exclusive')
      .option('--status <digit>', 'first digit of the status; 4: refused');

  filtered('list', 'list the newest rows')
    .option('--limit <count>', 'maximum number of rows, up to 100', '20')
    .option('--json', 'print JSON')
    .action(
      cli.onServer(async (server, options: Filters & { readonly limit: string; readonly json?: boolean }) => {
        const page = await server.get(LIST, auditPage, { ...filtersOf(options), limit: Number(options.limit) });
        cli.print(options.json, page.data, entriesText(page.data));
      }),
    );
  filtered('export', 'export rows to a file as NDJSON, newest first')
    .option('--out <file>', 'output file (default: recollect-audit-<day>.ndjson)')
    .action(
      cli.onServer(async (server, options: Filters & { readonly out?: string }) => {
        const day = new Date().toISOString().slice(0, 10);
        const file = resolve(options.out ?? `recollect-audit-${day}.ndjson`);
        const query = new URLSearchParams(filtersOf(options)).toString();
        const content = await server.download(`${LIST}/export${query === '' ? '' : `?${query}`}`);
        await pipeline(Readable.fromWeb(content), createWriteStream(file, { mode: 0o600 }));
        output.out(`${file}\n`);
      }),
    );
  cli
    .command(command, 'verify', 'recompute the chain and compare it with the backups')
    .option('--json', 'print JSON')
    .action(
      cli.onServer(async (server, { json }: { readonly json?: boolean }) => {
        const result = await server.post(`${LIST}/verify`, auditVerification);
        const { checked, first_fault: fault } = result;
        const text =
          fault === null
            ? `${checked} rows verified. No faults.\n`
            : `${checked} rows read. First fault: row ${fault.seq}, ${fault.kind}. See docs/audit.md.\n`;
        cli.print(json, result, text);
        return result.ok ? 0 : 1;
      }),
    );
}
