import { Option } from 'commander';
import type { Command } from 'commander';
import { Learnings } from '../../server/memory.ts';
import type { Learning, LearningDetail } from '../../server/memory.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { dataDirOf, withDataDir } from '../../options.ts';
import { writeRecalled } from '../../text/memory-text.ts';
import { momentOf, ago, short, wrap } from '../../text/text-layout.ts';
import { withServer } from '../../with-server.ts';
import { memoryHash } from '../../../domain/memory.ts';
import { LEARNING_CATEGORIES } from './remember.ts';
import { table } from '../../output.ts';
import { terminalText } from '../../text/terminal-text.ts';

const TEXT_CHARS = 90;
const PROJECT_CHARS = 20;
const SHOWN_QUOTES = 10;

/** Returns closed, verified, manual (stored by a user) or `-`. */
function stateOf(learning: Learning): string {
  if (learning.valid_to !== null) return 'closed';
  if (learning.verified) return 'verified';
  return learning.origin === 'user' ? 'manual' : '-';
}

/** Returns learnings as a table. */
export function learningTable(learnings: readonly Learning[], now: number): string {
  const head = ['LEARNING', 'PROJECT', 'CATEGORY', 'CONFIDENCE', 'USED', 'STATE', 'SINCE', 'DESCRIPTION'];
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
  return `${from.slice(0, 16).replace('T', ' ')} ${to === null ? 'until now' : `to ${to.slice(0, 16).replace('T', ' ')}`}`;
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
  ];
  const quotes = learning.evidence.slice(0, SHOWN_QUOTES);
  const more = learning.evidence.length - quotes.length;
  const lines = [
    learning.title === '' ? learning.hash : `${learning.hash}  ${learning.title}`,
    facts.join(', '),
    interval(learning.valid_from, learning.valid_to),
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
  readonly dataDir: string;
  readonly project?: string;
  readonly category?: string;
  readonly search?: string;
  readonly asOf?: string;
  readonly includeClosed?: boolean;
  readonly sort: string;
  readonly limit: string;
  readonly json?: boolean;
}

interface CorrectOptions {
  readonly title?: string;
  readonly description?: string;
  readonly category?: Learning['category'];
}

const SORTS = ['confidence', 'recency', 'popularity'];

export function addLearnings(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  const command = withDataDir(program.command('learnings'), environment)
    .description('list learnings, highest confidence first')
    .option('--project <project>', 'filter by project: id, git remote, folder or name')
    .addOption(new Option('--category <category>', 'filter by category').choices(LEARNING_CATEGORIES))
    .option('--search <words>', 'search titles and descriptions')
    .option('--as-of <time>', 'learnings current at a day, or a time as 2026-01-02T03:04:05Z')
    .option('--include-closed', 'include closed learnings')
    .addOption(new Option('--sort <by>', 'sort order').choices(SORTS).default('confidence'))
    .option('--limit <count>', 'maximum number of rows, up to 100', '20')
    .option('--json', 'print JSON')
    .action(async (options: ListOptions) =>
      exit(
        await withServer(options.dataDir, context, async (_steering, client) => {
          const { data, pagination } = await new Learnings(client).list({
            project: options.project,
            category: options.category,
            q: options.search,
            as_of: momentOf(options.asOf, 'end'),
            include_closed: options.includeClosed,
            sort: options.sort,
            limit: Number(options.limit),
          });
          if (options.json === true) output.out(`${JSON.stringify(data)}\n`);
          else if (data.length === 0) output.out('No learnings.\n');
          else {
            const more = pagination.total - data.length;
            writeRecalled(output, `${learningTable(data, Date.now())}${more > 0 ? `and ${more} more\n` : ''}`);
          }
          return 0;
        }),
      ),
    );

  /** Adds a subcommand for one learning; it prints the text that `work` returns. */
  const onOne = (
    name: string,
    description: string,
    work: (learnings: Learnings, id: string, self: Command) => Promise<string>,
  ): Command =>
    withDataDir(command.command(name), environment)
      .description(description)
      .argument('<learning>', 'hash or id of the learning')
      .action(async (id: string, _options: object, self: Command) =>
        exit(
          await withServer(dataDirOf(self), context, async (_steering, client) => {
            output.out(await work(new Learnings(client), id, self));
            return 0;
          }),
        ),
      );

  onOne('show', 'show a learning with evidence and versions', async (learnings, id, self) => {
    const learning = await learnings.show(id);
    if (self.getOptionValue('json') === true || command.getOptionValue('json') === true)
      return `${JSON.stringify(learning)}\n`;
    writeRecalled(output, learningText(learning));
    return '';
  }).option('--json', 'print JSON');

  onOne('verify', 'verify a learning', async (learnings, id, self) => {
    const { note } = self.opts<{ readonly note?: string }>();
    await learnings.verify(id, note);
    return 'Verified.\n';
  }).option('--note <text>', 'note on the verification');

  onOne('invalidate', 'close a learning that is no longer true', async (learnings, id, self) => {
    const { reason } = self.opts<{ readonly reason: string }>();
    await learnings.invalidate(id, reason);
    return 'Closed. The same evidence does not create it again.\n';
  }).requiredOption('--reason <text>', 'reason');

  onOne('correct', 'correct the text of a learning', async (learnings, id, self) => {
    const { title, description, category } = self.opts<CorrectOptions>();
    const corrected = await learnings.correct(id, { title, description, category: category ?? undefined });
    return `Version ${corrected.version}: ${corrected.hash}\n`;
  })
    .option('--title <text>', 'new title')
    .option('--description <text>', 'new description');
}
