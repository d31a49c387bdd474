import { MEMORY_TYPES } from '../../../domain/ports/vector-index.ts';
import { VALUE_FILTER_HELP, VALUE_FILTERS } from '../../../domain/search-names.ts';
import type { ValueFilters } from '../../../domain/search-names.ts';
import { Option } from 'commander';
import type { Command } from 'commander';
import type { CompactMemory, MemoryType, SearchOptions } from '../../../client/index.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { withDataDir } from '../../options.ts';
import { compactText, memoryText, writeRecalled } from '../../text/memory-text.ts';
import { momentOf } from '../../text/text-layout.ts';
import { withMemory } from '../../with-server.ts';

interface Options extends ValueFilters {
  readonly dataDir: string;
  readonly type?: readonly MemoryType[];
  readonly project?: string;
  readonly namespace?: string;
  readonly tag?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly asOf?: string;
  readonly limit: string;
  readonly full?: boolean;
  readonly json?: boolean;
}

function searchOptions(options: Options): Omit<SearchOptions, 'format'> {
  const { type, project, namespace, tag, since, until, asOf, limit } = options;
  return {
    type,
    project,
    namespace,
    tags: tag,
    ...Object.fromEntries(VALUE_FILTERS.map((name) => [name, options[name]])),
    since: momentOf(since, 'start'),
    until: momentOf(until, 'end'),
    as_of: momentOf(asOf, 'end'),
    limit: Number(limit),
  };
}

/** Returns the results, and the retrievers that were unavailable. */
export function foundText(data: readonly CompactMemory[], degraded: readonly string[] | undefined): string {
  const missing = degraded === undefined || degraded.length === 0 ? '' : `Searched without: ${degraded.join(', ')}\n`;
  return `${data.length === 0 ? 'Nothing was found.\n' : data.map((memory) => compactText(memory)).join('')}${missing}`;
}

export function addSearch(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  const search = program.command('search');
  for (const name of VALUE_FILTERS) search.option(`--${name} <${name}>`, VALUE_FILTER_HELP[name]);
  withDataDir(search, environment)
    .description('search memories; recollect get shows the full text')
    .argument('<query...>', 'words, "an exact phrase", last week, file:a.ts, kind:bugfix')
    .addOption(new Option('--type <types...>', 'filter by type').choices(MEMORY_TYPES))
    .option('--project <project>', 'filter by project: id, git remote, folder or name')
    .option('--namespace <name>', 'filter by namespace')
    .option('--tag <tags...>', 'filter by tags; all must match')
    .option('--since <time>', 'earliest day, or time as 2026-01-02T03:04:05Z')
    .option('--until <time>', 'latest day (inclusive) or time')
    .option('--as-of <time>', 'learnings current at that time')
    .option('--limit <count>', 'maximum number of results, up to 50; at most 70 tokens each', '10')
    .option('--full', 'show full texts')
    .option('--json', 'print JSON')
    .action(async (query: readonly string[], options: Options) =>
      exit(
        await withMemory(options.dataDir, context, async (memory) => {
          const q = query.join(' ');
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
