import type { Command } from 'commander';
import { Option } from 'commander';
import { Learnings } from '../../server/memory.ts';
import type { Learning } from '../../server/memory.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { dataDirOf, withDataDir } from '../../options.ts';
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
      .argument('<id>', 'id of the learning')
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
    return `Version ${corrected.version}: ${corrected.id}\n`;
  })
    .option('--title <text>', 'new title')
    .option('--description <text>', 'new description');
}
