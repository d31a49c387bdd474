import { resolve } from 'node:path';
import type { Command } from 'commander';
import { gdprRequestSchema } from '../../../contract/gdpr.ts';
import type { GdprRequest } from '../../../contract/gdpr.ts';
import { pageOfItems } from '../../../contract/shared.ts';
import { MAX_EXTENSION_DAYS } from '../../../domain/erasure/gdpr-request.ts';
import { isReceiptValid } from '../../../domain/erasure/receipt.ts';
import { writeFileAtomic } from '../../../infra/instance/atomic-file.ts';
import type { Cli } from '../../cli.ts';
import type { ExitCode } from '../../command-context.ts';
import { integer } from '../../options.ts';
import { table } from '../../output.ts';
import { path } from '../../server/server-client.ts';
import type { ServerClient } from '../../server/server-client.ts';
import { terminalText } from '../../text/terminal-text.ts';
import { minuteOf } from '../../text/text-layout.ts';

const LIST = '/gdpr/requests';

const dueText = ({ finished_at: end, due_at: due, overdue }: GdprRequest): string =>
  end === null ? `${minuteOf(due)}${overdue ? ' overdue' : ''}` : '-';

function requestsText(requests: readonly GdprRequest[]): string {
  if (requests.length === 0) return 'No requests.\n';
  const rows = requests.map((request) => [
    request.id,
    `${request.right} ${request.kind}`,
    request.state,
    dueText(request),
    request.user ?? '-',
  ]);
  return table([['REQUEST', 'RIGHT', 'STATE', 'DUE (UTC)', 'USER'], ...rows]);
}

function requestText(request: GdprRequest): string {
  const { extension, decision, details, error, receipt } = request;
  const lines = [
    `${request.id}: ${request.right} ${request.kind}, ${request.state}`,
    `requested ${minuteOf(request.requested_at)} UTC, ${request.finished_at === null ? `due ${dueText(request)}` : `ended ${minuteOf(request.finished_at)}`}`,
    ...(extension === null ? [] : [`extended by ${extension.days} days: ${extension.reason}`]),
    ...(decision === null
      ? []
      : [`decided ${minuteOf(decision.at)}${decision.reason === null ? '' : `: ${decision.reason}`}`]),
    ...(details === null ? [] : [`waits: ${JSON.stringify(details)}`]),
    ...(error === null ? [] : [`error: ${error}`]),
    ...(receipt === null ? [] : [`receipt ${receipt.sha256}, ${validity(receipt)}`, receipt.receipt]),
  ];
  return `${terminalText(lines.join('\n'))}\n`;
}

function validity(receipt: NonNullable<GdprRequest['receipt']>): string {
  if (receipt.signature === null) return 'not signed';
  return isReceiptValid(receipt) ? `signed by ${receipt.public_key ?? ''}` : 'the signature is not valid';
}

interface ShowOptions {
  readonly out?: string;
  readonly json?: boolean;
}

async function show(server: ServerClient, id: string, { out, json }: ShowOptions, cli: Cli): Promise<ExitCode> {
  const request = await server.get(path`/gdpr/requests/${id}`, gdprRequestSchema);
  cli.print(json, request, requestText(request));
  const { receipt } = request;
  if (out !== undefined) {
    if (receipt === null) {
      cli.output.err('The request has no receipt yet.\n');
      return 1;
    }
    writeFileAtomic(resolve(out), `${JSON.stringify(receipt)}\n`);
  }
  return receipt === null || receipt.signature === null || isReceiptValid(receipt) ? 0 : 1;
}

/** Adds the subcommands of requests to `gdpr`. */
export function addRequests(command: Command, cli: Cli): void {
  const { output } = cli;
  cli
    .command(command, 'list', 'list your requests, for admins those of the tenant: open ones by deadline, then others')
    .option('--open', 'only requests that wait or run')
    .option('--limit <count>', 'maximum number of rows, up to 100', '20')
    .option('--json', 'print JSON')
    .action(
      cli.onServer(async (server, options: { open?: boolean; limit: string; json?: boolean }) => {
        const query = { limit: Number(options.limit), open: options.open };
        const { data } = await server.get(LIST, pageOfItems(gdprRequestSchema), query);
        cli.print(options.json, data, requestsText(data));
      }),
    );
  cli
    .command(command, 'show', 'show a request and verify its receipt')
    .argument('<request>', 'id of the request')
    .option('--out <file>', 'write the receipt to a file')
    .option('--json', 'print JSON')
    .action(cli.onServer((server, id: string, options: ShowOptions) => show(server, id, options, cli)));
  for (const decision of ['approve', 'decline'] as const) {
    const deciding = cli
      .command(command, decision, `${decision} a request that waits for a decision; for admins`)
      .argument('<request>', 'id of the request');
    const reason = ['--reason <text>', 'reason, which the user sees'] as const;
    (decision === 'decline' ? deciding.requiredOption(...reason) : deciding.option(...reason)).action(
      cli.onServer(async (server, id: string, { reason: given }: { readonly reason?: string }) => {
        const body = { decision, reason: given };
        const { state } = await server.post(path`/gdpr/requests/${id}/decide`, gdprRequestSchema, body);
        output.out(`The request is ${state}.\n`);
      }),
    );
  }
  cli
    .command(command, 'extend', 'extend the deadline of a request, once; for admins')
    .argument('<request>', 'id of the request')
    .requiredOption(
      '--days <count>',
      `days after the deadline, up to ${MAX_EXTENSION_DAYS}`,
      integer(1, MAX_EXTENSION_DAYS),
    )
    .requiredOption('--reason <text>', 'reason, which the user sees')
    .action(
      cli.onServer(async (server, id: string, body: { readonly days: number; readonly reason: string }) => {
        const { days, reason } = body;
        const request = await server.post(path`/gdpr/requests/${id}/extend`, gdprRequestSchema, { days, reason });
        output.out(`The request is due ${minuteOf(request.due_at)} UTC.\n`);
      }),
    );
}
