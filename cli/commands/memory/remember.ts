import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { LearningCategory } from '../../../client/index.ts';
import { VISIBILITIES } from '../../../domain/learning/visibility.ts';
import type { Visibility } from '../../../domain/learning/visibility.ts';
import { LEARNING_CATEGORIES } from '../../../domain/ports/model.ts';
import type { Cli } from '../../cli.ts';
import { projectHere } from '../../project-here.ts';
import { terminalText } from '../../text/terminal-text.ts';

interface Options {
  readonly dataDir: string;
  readonly title?: string;
  readonly tag?: readonly string[];
  readonly category?: LearningCategory;
  readonly project?: string | false;
  readonly namespace?: string;
  readonly importance?: string;
  readonly infer?: boolean;
  readonly visibility?: Visibility;
  readonly json?: boolean;
}

/** Returns the words of the command line; stdin without words or for a dash. */
function contentOf(words: readonly string[]): string {
  const isGiven = words.length > 0 && words.join() !== '-';
  return isGiven ? words.join(' ') : readFileSync(0, 'utf8');
}

export function addRemember(program: Command, cli: Cli): void {
  cli
    .command(program, 'remember', 'store a memory; the same text is stored once')
    .argument('[text...]', 'text of the memory; stdin if absent or -')
    .option('--title <title>', 'title of the memory')
    .option('--tag <tags...>', 'tags of the memory')
    .addOption(new Option('--category <category>', 'category of the memory').choices(LEARNING_CATEGORIES))
    .option('--project <project>', 'id, git remote, folder or name (default: repository of this folder)')
    .option('--no-project', 'store without a project')
    .option('--namespace <name>', 'store in a namespace')
    .option('--importance <share>', 'importance, 0 to 1')
    .option('--infer', 'compare with learnings: join duplicates, close contradicted ones')
    .addOption(
      new Option('--visibility <visibility>', 'who reads it (default: the setting of the tenant)').choices(
        VISIBILITIES,
      ),
    )
    .option('--json', 'print JSON')
    .action(
      cli.onMemory(async (memory, words: readonly string[], options: Options) => {
        const { title, tag, category, project, namespace, importance, infer, visibility } = options;
        const place =
          project === undefined ? (await projectHere(options.dataDir)).repository : project === false ? null : project;
        const stored = await memory.store({
          content: contentOf(words),
          title,
          tags: tag,
          category,
          project: place ?? undefined,
          namespace,
          importance: importance === undefined ? undefined : Number(importance),
          infer,
          visibility,
        });
        const where = place === null ? 'without a project' : `in ${terminalText(place)}`;
        cli.print(options.json, stored, `Remembered: ${stored.hash} ${where}\n`);
      }),
    );
}
