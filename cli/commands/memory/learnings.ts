import { Option } from 'commander';
import type { Command } from 'commander';
import { learningDetail, learningSchema } from '../../../contract/learnings.ts';
import type { Learning, LearningDetail } from '../../../contract/learnings.ts';
import { cursorPageOf } from '../../../contract/shared.ts';
import { memoryHash } from '../../../domain/memory.ts';
import { VISIBILITIES } from '../../../domain/learning/visibility.ts';
import { LEARNING_CATEGORIES } from '../../../domain/ports/model.ts';
import { LEARNING_SORTS } from '../../../domain/search-names.ts';
import type { Cli } from '../../cli.ts';
import { path } from '../../server/server-client.ts';
import { ago, minuteOf, momentOf, short, wrap } from '../../text/text-layout.ts';
import { table } from '../../output.ts';
import { terminalText } from '../../text/terminal-text.ts';

const TEXT_CHARS = 90;
const PROJECT_CHARS = 20;
/** What a change of the visibility prints. */
const CHANGED = {
  shared: 'Shared with all users of the tenant.',
  private: 'Private: you and admins read it.',
} as const;
const SHOWN_QUOTES = 10;

/** Returns closed, verified, manual (stored by a user) or `-`, and whether it is private. */
function stateOf(learning: Learning): string {
  const state = ownStateOf(learning);
  if (learning.visibility === 'shared') return state;
  return state === '-' ? 'private' : `${state}, private`;
}

function ownStateOf(learning: Learning): string {
  if (learning.valid_to !== null) return 'closed';
  if (learning.verified) return 'verified';
  return learning.origin === 'user' ? 'manual' : '-';
}

/** Returns learnings as a table. */
export function learningTable(learnings: readonly Learning[], now: number): string {
  const head = ['LEARNING', 'PROJECT', 'CATEGORY', 'CONFIDENCE', 'TIMES USED', 'STATE', 'TRUE FOR', 'DESCRIPTION'];
  const rows = learnings.map((learning) => [
    learning.hash,
    short(terminalText(learning.project?.name ?? '-'), PROJECT_CHARS),
    learning.category,
    learning.confidence.toFixed(2),
    String(learning.use_count),
    stateOf(learning),
    ago(learning.valid_from, now),
    short(terminalText(learning.description), TEXT_CHARS),
  ]);
  return table([head, ...rows]);
}

function interval(from: string, to: string | null): string {
  return `${minuteOf(from)} ${to === null ? 'until now' : `to ${minuteOf(to)}`}`;
}

/** Returns a learning with evidence and versions. */
export function learningText(learning: LearningDetail): string {
  const facts = [
    learning.category,
    ...(learning.project === null ? [] : [learning.project.name]),
    `confidence ${learning.confidence.toFixed(2)}`,
    `used ${learning.use_count} times`,
    ...(learning.verified ? [`verified${learning.verify_note === null ? '' : ` (${learning.verify_note})`}`] : []),
    ...(learning.origin === 'user' ? ['stored manually'] : []),
    ...(learning.visibility === 'private' ? ['private'] : []),
  ];
  const quotes = learning.evidence.slice(0, SHOWN_QUOTES);
  const more = learning.evidence.length - quotes.length;
  const lines = [
    learning.title === '' ? learning.hash : `${learning.hash}  ${learning.title}`,
    facts.join(', '),
    interval(learning.valid_from, learning.valid_to),
    ...(learning.reopen_reason === null ? [] : [`reopened: ${learning.reopen_reason}`]),
    ...(learning.valid_to === null ? [] : [`closed: ${learning.reason ?? 'no reason given'}`]),
    ...(learning.superseded_by === null ? [] : [`superseded by: ${memoryHash(learning.superseded_by)}`]),
    '',
    ...wrap(learning.description, '  '),
    ...(learning.context === '' ? [] : wrap(learning.context, '  ')),
    ...learning.examples.flatMap((example) => wrap(example, '      ', '    e.g. ')),
    ...(quotes.length === 0 ? [] : ['', 'Evidence']),
    ...quotes.flatMap(({ quote, row_id: row }) =>
      wrap(`${quote === null ? 'of another user' : `“${quote}”`} (${memoryHash(row)})`, '    ', '  - '),
    ),
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...(learning.versions.length < 2 ? [] : ['', 'Versions']),
    ...(learning.versions.length < 2 ? [] : learning.versions).flatMap((version) =>
      wrap(
        `${version.version}, ${interval(version.valid_from, version.valid_to)}${version.reason === null ? '' : `, ${version.reason}`}: ${version.description}`,
        '    ',
        '  - ',
      ),
    ),
  ];
  return `${terminalText(lines.join('\n'))}\n`;
}

interface ListOptions {
  readonly project?: string;
  readonly category?: string;
  readonly search?: string;
  readonly asOf?: string;
  readonly includeClosed?: boolean;
  readonly visibility?: string;
  readonly sort: string;
  readonly limit: string;
  readonly json?: boolean;
}

export function addLearnings(program: Command, cli: Cli): void {
  const command = cli
    .command(program, 'learnings', 'list learnings, highest confidence first')
    .option('--project <project>', 'filter by project: id, git remote, folder or name')
    .addOption(new Option('--category <category>', 'filter by category').choices(LEARNING_CATEGORIES))
    .option('--search <words>', 'search titles and descriptions')
    .option('--as-of <time>', 'learnings current at a day, or a time as 2026-01-02T03:04:05Z')
    .option('--include-closed', 'include closed learnings')
    .addOption(new Option('--visibility <visibility>', 'filter by visibility').choices(VISIBILITIES))
    .addOption(new Option('--sort <by>', 'sort order').choices(LEARNING_SORTS).default('confidence'))
    .option('--limit <count>', 'maximum number of rows, up to 100', '20')
    .option('--json', 'print JSON')
    .action(
      cli.onServer(async (server, { project, category, search, asOf, includeClosed, ...options }: ListOptions) => {
        const { visibility, sort, limit, json } = options;
        const { data, pagination } = await server.get('/learnings', cursorPageOf(learningSchema), {
          project,
          category,
          q: search,
          as_of: momentOf(asOf, 'end'),
          include_closed: includeClosed,
          visibility,
          sort,
          limit: Number(limit),
        });
        const more = (pagination.total ?? 0) - data.length;
        const text = `${learningTable(data, Date.now())}${more > 0 ? `and ${more} more\n` : ''}`;
        if (data.length === 0) cli.print(json, data, 'No learnings.\n');
        else cli.printRecalled(json, data, text);
      }),
    );

  /** Adds a subcommand for one learning. */
  const onOne = (name: string, description: string): Command =>
    cli.command(command, name, description).argument('<learning>', 'hash or id of the learning');

  onOne('show', 'show a learning with evidence and versions')
    .option('--json', 'print JSON')
    .action(
      cli.onServer(async (server, id: string, { json }: { readonly json?: true }) => {
        const learning = await server.get(path`/learnings/${id}`, learningDetail);
        cli.printRecalled(json ?? command.getOptionValue('json') === true, learning, learningText(learning));
      }),
    );

  onOne('verify', 'verify a learning')
    .option('--note <text>', 'note on the verification')
    .action(
      cli.onServer(async (server, id: string, { note }: { readonly note?: string }) => {
        await server.post(path`/learnings/${id}/verify`, learningSchema, { note });
        cli.output.out('Verified.\n');
      }),
    );

  onOne('unverify', 'take the verification of a learning back').action(
    cli.onServer(async (server, id: string) => {
      await server.post(path`/learnings/${id}/unverify`, learningSchema);
      cli.output.out('No longer verified.\n');
    }),
  );

  onOne('invalidate', 'close a learning that is no longer true')
    .requiredOption('--reason <text>', 'reason')
    .action(
      cli.onServer(async (server, id: string, { reason }: { readonly reason: string }) => {
        await server.post(path`/learnings/${id}/invalidate`, learningSchema, { reason });
        cli.output.out('Closed. The same evidence does not create it again.\n');
      }),
    );

  onOne('reopen', 'make a closed learning current again, as a new version')
    .requiredOption('--reason <text>', 'reason')
    .action(
      cli.onServer(async (server, id: string, { reason }: { readonly reason: string }) => {
        const reopened = await server.post(path`/learnings/${id}/reopen`, learningSchema, { reason });
        cli.output.out(`Version ${reopened.version}: ${reopened.hash}\n`);
      }),
    );

  onOne('correct', 'correct the text of a learning')
    .option('--title <text>', 'new title')
    .option('--description <text>', 'new description')
    .action(
      cli.onServer(async (server, id: string, given: { readonly title?: string; readonly description?: string }) => {
        const { title, description } = given;
        if (title === undefined && description === undefined) {
          cli.output.err('Name what to correct: --title or --description.\n');
          return 1;
        }
        const body = { title, description };
        const corrected = await server.request('PUT', path`/learnings/${id}`, learningSchema, { body });
        cli.output.out(`Version ${corrected.version}: ${corrected.hash}\n`);
        return 0;
      }),
    );

  const change = (visibility: keyof typeof CHANGED) =>
    cli.onServer<[string]>(async (server, id) => {
      const body = { visibility };
      await server.request('PUT', path`/learnings/${id}/visibility`, learningSchema, { body });
      cli.output.out(`${CHANGED[visibility]}\n`);
    });
  onOne('share', 'let all users of the tenant read a private learning').action(change('shared'));
  onOne('unshare', 'make a learning private: only its owner and admins read it').action(change('private'));
}
