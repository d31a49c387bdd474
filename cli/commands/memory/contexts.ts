import { Option } from 'commander';
import type { Command } from 'commander';
import { contextsAnswer, servedContextDetail } from '../../../contract/context.ts';
import type { ServedContextAnswer, ServedContextDetail } from '../../../contract/context.ts';
import { CONTEXT_PURPOSES } from '../../../domain/context/served.ts';
import type { Cli } from '../../cli.ts';
import { path } from '../../server/server-client.ts';
import { counted, minuteOf, momentOf, short } from '../../text/text-layout.ts';
import { terminalText } from '../../text/terminal-text.ts';

interface Options {
  readonly session?: string;
  readonly project?: string;
  readonly purpose?: (typeof CONTEXT_PURPOSES)[number];
  readonly since?: string;
  readonly limit: string;
  readonly json?: boolean;
}

const TEXT_CHARS = 90;

function headOf({
  id,
  purpose,
  created_at: at,
  tokens,
}: Pick<ServedContextAnswer, 'id' | 'purpose' | 'created_at' | 'tokens'>): string {
  return `${id}  ${minuteOf(at)} UTC  ${purpose}  ${counted(tokens, 'tokens')}`;
}

function lineOf(context: ServedContextAnswer): string {
  const { items, useful, fetched, wrong, session } = context;
  const signs = [
    counted(items, 'memories'),
    ...Object.entries({ useful, fetched, wrong }).flatMap(([name, count]) => (count === 0 ? [] : [`${count} ${name}`])),
  ];
  const title = session?.title ?? '';
  return `${headOf(context)}  ${signs.join(', ')}${title === '' ? '' : `  ${terminalText(short(title, TEXT_CHARS))}`}\n`;
}

function detailText(context: ServedContextDetail): string {
  const lines = context.items.map(({ hash, type, kind, title, preview, reason, tokens, feedback, note, closed }) => {
    const text = [title, preview].find((each) => each !== null && each !== '') ?? 'not available any more';
    const signs = [
      ...(closed ? ['closed since'] : []),
      ...feedback,
      ...(note === null ? [] : [`“${short(note, TEXT_CHARS)}”`]),
    ].join(', ');
    const why = [reason ?? '', tokens === null ? '' : counted(tokens, 'tokens'), signs].filter((each) => each !== '');
    return `  ${hash}  ${type}${kind === null ? '' : `/${kind}`}  ${short(text, TEXT_CHARS)}\n            ${why.join('; ')}\n`;
  });
  return terminalText(`${headOf(context)}\n${lines.join('')}`);
}

export function addContexts(program: Command, cli: Cli): void {
  const command = cli
    .command(program, 'contexts', 'list the contexts that agents were served, newest first')
    .option('--session <id>', 'filter by session: id, or host:id')
    .option('--project <project>', 'filter by project: id, git remote, folder or name')
    .addOption(new Option('--purpose <purpose>', 'filter by purpose').choices(CONTEXT_PURPOSES))
    .option('--since <time>', 'earliest day, or time as 2026-01-02T03:04:05Z')
    .option('--limit <count>', 'maximum number of rows, up to 100', '20')
    .option('--json', 'print JSON')
    .action(
      cli.onServer(async (server, { limit, since, json, session, project, purpose }: Options) => {
        const query = { session, project, purpose, since: momentOf(since, 'start'), limit: Number(limit) };
        const { data } = await server.get('/contexts', contextsAnswer, query);
        cli.printRecalled(json, data, data.length === 0 ? 'No contexts.\n' : data.map(lineOf).join(''));
      }),
    );
  cli
    .command(command, 'show', 'show the memories of a context, why each was served, and whether it was of use')
    .argument('<id>', 'id of a context')
    .option('--json', 'print JSON')
    .action(
      cli.onServer(async (server, id: string, { json }: { readonly json?: boolean }) => {
        const found = await server.get(path`/contexts/${id}`, servedContextDetail);
        cli.printRecalled(json, found, detailText(found));
      }),
    );
}
