import type { Command } from 'commander';
import { Option } from 'commander';
import type { CompactMemory, MemoryType, SearchOptions } from '../../../client/index.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { withDataDir } from '../../data-dir.ts';
import { compactText, memoryText } from '../../text/memory-text.ts';
import { writeRecalled } from '../../text/recalled-text.ts';
import { momentOf } from '../../text/time-text.ts';
import { withMemory } from '../../with-server.ts';

interface Options {
  readonly dataDir: string;
  readonly type?: readonly MemoryType[];
  readonly project?: string;
  readonly namespace?: string;
  readonly tag?: readonly string[];
  readonly tool?: string;
  readonly kind?: string;
  readonly since?: string;
  readonly until?: string;
  readonly asOf?: string;
  readonly limit: string;
  readonly full?: boolean;
  readonly json?: boolean;
}

export const MEMORY_TYPES = ['observation', 'prompt', 'summary', 'learning'];

function searchOptions(options: Options): Omit<SearchOptions, 'format'> {
  const { type, project, namespace, tag, tool, kind, since, until, asOf, limit } = options;
  return {
    type,
    project,
    namespace,
    tags: tag,
    tool,
    kind,
    since: momentOf(since, 'start'),
    until: momentOf(until, 'end'),
    as_of: momentOf(asOf, 'end'),
    limit: Number(limit),
  };
}

/** What was found, and what was away meanwhile. */
export function foundText(data: readonly CompactMemory[], degraded: readonly string[] | undefined): string {
  const away = degraded === undefined || degraded.length === 0 ? '' : `Searched without: ${degraded.join(', ')}\n`;
  return `${data.length === 0 ? 'Nothing was found.\n' : data.map((memory) => compactText(memory)).join('')}${away}`;
}

export function addSearch(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  withDataDir(program.command('search'), environment)
    .description('search memory; what is found is read whole with recollect get')
    .argument('<question...>', 'words, "an exact phrase", last week, file:a.ts, kind:bugfix')
    .addOption(new Option('--type <types...>', 'only these').choices(MEMORY_TYPES))
    .option('--project <project>', 'only of this project: its id, git remote, folder or name')
    .option('--namespace <name>', 'only of this namespace')
    .option('--tag <tags...>', 'only with all of these tags')
    .option('--tool <name>', 'only of this tool')
    .option('--kind <kind>', 'only of this kind, as bugfix or decision')
    .option('--since <time>', 'a day, or a time as 2026-01-02T03:04:05Z')
    .option('--until <time>', 'the same; a day counts whole')
    .option('--as-of <time>', 'what was known then')
    .option('--limit <count>', 'how many, 50 at most; each costs an agent 70 tokens at most', '10')
    .option('--full', 'with their whole text')
    .option('--json', 'for programs')
    .action(async (question: readonly string[], options: Options) =>
      exit(
        await withMemory(options.dataDir, context, async (memory) => {
          const q = question.join(' ');
          if (options.full === true) {
            const answer = await memory.search(q, searchOptions(options));
            if (options.json === true) output.out(`${JSON.stringify(answer)}\n`);
            else writeRecalled(output, answer.data.map(memoryText).join('\n') || 'Nothing was found.\n');
          } else {
            const answer = await memory.search(q, { ...searchOptions(options), format: 'compact' });
            if (options.json === true) output.out(`${JSON.stringify(answer)}\n`);
            else writeRecalled(output, foundText(answer.data, answer.degraded));
          }
          return 0;
        }),
      ),
    );
}
