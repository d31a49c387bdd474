import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { LearningCategory } from '../../../client/index.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { withDataDir } from '../../data-dir.ts';
import { projectHere } from '../../project-here.ts';
import { withMemory } from '../../with-server.ts';

interface Options {
  readonly dataDir: string;
  readonly title?: string;
  readonly tag?: readonly string[];
  readonly category?: LearningCategory;
  readonly project?: string | false;
  readonly namespace?: string;
  readonly importance?: string;
  readonly infer?: boolean;
  readonly json?: boolean;
}

export const LEARNING_CATEGORIES = ['pattern', 'solution', 'error', 'config', 'best_practice', 'general'];

/** The words of the command line; stdin where there are none, or a dash. */
function contentOf(words: readonly string[]): string {
  const isGiven = words.length > 0 && words.join() !== '-';
  return isGiven ? words.join(' ') : readFileSync(0, 'utf8');
}

export function addRemember(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  withDataDir(program.command('remember'), environment)
    .description('store something that later sessions shall know; the same text again is the same memory')
    .argument('[text...]', 'what to remember; read from stdin where it is left out, or -')
    .option('--title <title>', 'how it is called')
    .option('--tag <tags...>', 'to find it by')
    .addOption(new Option('--category <category>', 'what it is').choices(LEARNING_CATEGORIES))
    .option(
      '--project <project>',
      'what it is about: id, git remote, folder or name; else the repository of this folder',
    )
    .option('--no-project', 'it is about no project')
    .option('--namespace <name>', 'kept apart under this name')
    .option('--importance <share>', '0 to 1')
    .option('--infer', 'compare it with what is known: the same is not stored twice, what it contradicts is closed')
    .option('--json', 'for programs')
    .action(async (words: readonly string[], options: Options) =>
      exit(
        await withMemory(options.dataDir, context, async (memory) => {
          const { title, tag, category, project, namespace, importance, infer } = options;
          const here = project === undefined ? (await projectHere(options.dataDir)).repository : null;
          const stored = await memory.store({
            content: contentOf(words),
            title,
            tags: tag,
            category,
            project: project === false ? undefined : (project ?? here ?? undefined),
            namespace,
            importance: importance === undefined ? undefined : Number(importance),
            infer,
          });
          output.out(options.json === true ? `${JSON.stringify(stored)}\n` : `Remembered: ${stored.hash}\n`);
          return 0;
        }),
      ),
    );
}
