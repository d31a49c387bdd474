import type { Command } from 'commander';
import { Option } from 'commander';
import { Learnings } from '../../server/memory.ts';
import type { Learning } from '../../server/memory.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { dataDirOf, withDataDir } from '../../data-dir.ts';
import { learningTable, learningText } from '../../text/learning-text.ts';
import { writeRecalled } from '../../text/recalled-text.ts';
import { momentOf } from '../../text/time-text.ts';
import { withServer } from '../../with-server.ts';
import { LEARNING_CATEGORIES } from './remember.ts';

interface ListOptions {
  readonly dataDir: string;
  readonly project?: string;
  readonly category?: string;
  readonly search?: string;
  readonly asOf?: string;
  readonly all?: boolean;
  readonly sort: string;
  readonly limit: string;
  readonly json?: boolean;
}

interface CorrectOptions {
  readonly title?: string;
  readonly text?: string;
  readonly category?: Learning['category'];
}

const SORTS = ['confidence', 'recency', 'popularity'];

export function addLearnings(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  const command = withDataDir(program.command('learnings'), environment)
    .description('list what is known, the surest first')
    .option('--project <project>', 'only of this project: its id, git remote, folder or name')
    .addOption(new Option('--category <category>', 'only these').choices(LEARNING_CATEGORIES))
    .option('--search <words>', 'in the title and the description')
    .option('--as-of <time>', 'what was believed then: a day, or a time as 2026-01-02T03:04:05Z')
    .option('--all', 'what is not believed any more, too')
    .addOption(new Option('--sort <by>', 'in which order').choices(SORTS).default('confidence'))
    .option('--limit <count>', 'how many, 100 at most', '20')
    .option('--json', 'for programs')
    .action(async (options: ListOptions) =>
      exit(
        await withServer(options.dataDir, context, async (_steering, client) => {
          const { data, pagination } = await new Learnings(client).list({
            project: options.project,
            category: options.category,
            q: options.search,
            as_of: momentOf(options.asOf, 'end'),
            include_closed: options.all,
            sort: options.sort,
            limit: Number(options.limit),
          });
          if (options.json === true) output.out(`${JSON.stringify(data)}\n`);
          else if (data.length === 0) output.out('Nothing is known.\n');
          else {
            const more = pagination.total - data.length;
            writeRecalled(output, `${learningTable(data, Date.now())}${more > 0 ? `and ${more} more\n` : ''}`);
          }
          return 0;
        }),
      ),
    );

  /** A subcommand that does something with one learning and says what came of it. */
  const onOne = (
    name: string,
    description: string,
    work: (learnings: Learnings, id: string, self: Command) => Promise<string>,
  ): Command =>
    withDataDir(command.command(name), environment)
      .description(description)
      .argument('<id>', 'of the learning')
      .action(async (id: string, _options: object, self: Command) =>
        exit(
          await withServer(dataDirOf(self), context, async (_steering, client) => {
            output.out(await work(new Learnings(client), id, self));
            return 0;
          }),
        ),
      );

  onOne('show', 'one learning with its quotes and its versions', async (learnings, id, self) => {
    const learning = await learnings.show(id);
    if (self.getOptionValue('json') === true || command.getOptionValue('json') === true)
      return `${JSON.stringify(learning)}\n`;
    writeRecalled(output, learningText(learning));
    return '';
  }).option('--json', 'for programs');

  onOne('verify', 'say that a learning is true', async (learnings, id, self) => {
    const { note } = self.opts<{ readonly note?: string }>();
    await learnings.verify(id, note);
    return 'Verified.\n';
  }).option('--note <text>', 'how it is known');

  onOne('invalidate', 'say that a learning does not hold any more', async (learnings, id, self) => {
    const { reason } = self.opts<{ readonly reason: string }>();
    await learnings.invalidate(id, reason);
    return 'Closed. It is not learned again from the same words.\n';
  }).requiredOption('--reason <text>', 'why');

  onOne('correct', 'put a learning in other words', async (learnings, id, self) => {
    const { title, text, category } = self.opts<CorrectOptions>();
    const corrected = await learnings.correct(id, { title, description: text, category: category ?? undefined });
    return `Version ${corrected.version}: ${corrected.id}\n`;
  })
    .option('--title <text>', 'its new title')
    .option('--text <text>', 'what it says now');
}
