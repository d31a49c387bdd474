import type { Command } from 'commander';
import { Option } from 'commander';
import type { CompactMemory, MemoryType, TimelineAnswer } from '../../../client/index.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { isMemoryName, withDataDir } from '../../options.ts';
import { compactText } from '../../text/memory-text.ts';
import { writeRecalled } from '../../text/recalled-text.ts';
import { withMemory } from '../../with-server.ts';
import { MEMORY_TYPES } from './search.ts';

interface Options {
  readonly dataDir: string;
  readonly search?: boolean;
  readonly before: string;
  readonly after: string;
  readonly project?: string;
  readonly type?: readonly MemoryType[];
  readonly json?: boolean;
}

function lineText({ anchor, data, has_before: hasBefore, has_after: hasAfter }: TimelineAnswer<CompactMemory>): string {
  if (anchor === null) return 'Nothing was found.\n';
  const lines = data.map((memory) => compactText(memory, memory.hash === anchor.hash ? '> ' : '  '));
  return `${hasBefore ? '  …\n' : ''}${lines.join('')}${hasAfter ? '  …\n' : ''}`;
}

export function addTimeline(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  withDataDir(program.command('timeline'), environment)
    .description('show the memories before and after a memory')
    .argument('<anchor...>', 'hash or id of a memory, or a query whose best result is the anchor')
    .option('--search', 'treat the anchor as a query even if it has the form of a hash')
    .option('--before <count>', 'maximum number of rows, up to 50', '5')
    .option('--after <count>', 'maximum number of rows, up to 50', '5')
    .option('--project <project>', 'timeline of a project instead of the session')
    .addOption(new Option('--type <types...>', 'filter by type').choices(MEMORY_TYPES))
    .option('--json', 'print JSON')
    .action(async (words: readonly string[], options: Options) =>
      exit(
        await withMemory(options.dataDir, context, async (memory) => {
          const given = words.join(' ');
          const isName = options.search !== true && isMemoryName(given);
          const answer = await memory.timeline({
            ...(isName ? { anchor: given } : { q: given }),
            before: Number(options.before),
            after: Number(options.after),
            project: options.project,
            types: options.type,
            format: 'compact',
          });
          if (options.json === true) output.out(`${JSON.stringify(answer)}\n`);
          else writeRecalled(output, lineText(answer));
          return 0;
        }),
      ),
    );
}
