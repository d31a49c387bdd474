import { MEMORY_TYPES } from '../../../domain/ports/vector-index.ts';
import { VALUE_FILTER_HELP, VALUE_FILTERS } from '../../../domain/search-names.ts';
import type { ValueFilters } from '../../../domain/search-names.ts';
import { Option } from 'commander';
import type { Command } from 'commander';
import type { CompactMemory, MemoryType, SearchOptions } from '../../../client/index.ts';
import type { Cli } from '../../cli.ts';
import { compactText, memoryText } from '../../text/memory-text.ts';
import { momentOf } from '../../text/text-layout.ts';

interface Options extends ValueFilters {
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

export function addSearch(program: Command, cli: Cli): void {
  const search = cli.command(program, 'search', 'search memories; recollect get shows the full text');
  for (const name of VALUE_FILTERS) search.option(`--${name} <${name}>`, VALUE_FILTER_HELP[name]);
  search
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
    .action(
      cli.onMemory(async (memory, query: readonly string[], options: Options) => {
        const q = query.join(' ');
        if (options.full === true) {
          const answer = await memory.search(q, searchOptions(options));
          const text = answer.data.map(memoryText).join('\n') || 'Nothing was found.\n';
          cli.printRecalled(options.json, answer, text);
        } else {
          const answer = await memory.search(q, { ...searchOptions(options), format: 'compact' });
          cli.printRecalled(options.json, answer, foundText(answer.data, answer.degraded));
        }
      }),
    );
}
