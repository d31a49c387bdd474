import { MEMORY_TYPES } from '../../../domain/ports/vector-index.ts';
import { VALUE_FILTER_HELP, VALUE_FILTERS } from '../../../domain/search-names.ts';
import type { ValueFilters } from '../../../domain/search-names.ts';
import { Option } from 'commander';
import type { Command } from 'commander';
import type { CompactAnswer, MemoryType, RecollectApi, SearchOptions } from '../../../client/index.ts';
import type { Cli } from '../../cli.ts';
import { memoryText, shortMemoryText } from '../../text/memory-text.ts';
import { terminalText } from '../../text/terminal-text.ts';
import { momentOf, short } from '../../text/text-layout.ts';

interface Options extends ValueFilters {
  readonly type?: readonly MemoryType[];
  readonly project?: string;
  readonly namespace?: string;
  readonly tag?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly asOf?: string;
  readonly limit: string;
  readonly nearest?: boolean;
  readonly full?: boolean;
  readonly json?: boolean;
}

function searchOptions(options: Options): Omit<SearchOptions, 'format'> {
  const { type, project, namespace, tag, since, until, asOf, limit, nearest } = options;
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
    nearest,
  };
}

/** Returns the texts of results, whether they fit, and the retrievers that were unavailable. */
export function foundText(
  results: string,
  {
    data,
    nothing_fits: nothingFits,
    degraded = [],
  }: Pick<CompactAnswer, 'nothing_fits' | 'degraded'> & { readonly data: readonly unknown[] },
): string {
  const missing = degraded.length === 0 ? '' : `Searched without: ${degraded.join(', ')}\n`;
  if (nothingFits !== true) return `${data.length === 0 ? 'Nothing was found.\n' : results}${missing}`;
  const nearest =
    data.length === 0
      ? 'Nothing fits. --nearest shows the nearest memories.\n'
      : `Nothing fits. The nearest:\n${results}`;
  return `${nearest}${missing}`;
}

/** Words of a query that are looked up, and texts that are shown for them. */
const LOOKED_UP = 4;
const SHOWN_SIMILAR = 5;
const SIMILAR_CHARS = 60;

/** Returns names and titles with a similar spelling, for a query without results; '' for none. */
async function similarText(memory: RecollectApi, query: string): Promise<string> {
  const words = query.match(/[\p{L}\p{N}_.-]{4,100}/gu)?.slice(0, LOOKED_UP) ?? [];
  const found = await Promise.all(words.map((word) => memory.suggest(word, 2)));
  const texts = [...new Set(found.flat().map(({ text }) => text))].slice(0, SHOWN_SIMILAR);
  return texts.length === 0
    ? ''
    : `Similar: ${terminalText(texts.map((text) => short(text, SIMILAR_CHARS)).join(', '))}\n`;
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
    .option('--limit <count>', 'maximum number of results, up to 50', '10')
    .option('--nearest', 'show the nearest memories also if nothing fits')
    .option('--full', 'show full texts')
    .option('--json', 'print JSON')
    .action(
      cli.onMemory(async (memory, query: readonly string[], options: Options) => {
        const q = query.join(' ');
        if (options.json === true && options.full !== true) {
          cli.print(true, await memory.search(q, { ...searchOptions(options), format: 'compact' }), '');
          return;
        }
        const answer = await memory.search(q, searchOptions(options));
        const now = Date.now();
        const results = answer.data.map((found) =>
          options.full === true ? memoryText(found) : shortMemoryText(found, now),
        );
        const similar = answer.data.length === 0 ? await similarText(memory, q) : '';
        const text = foundText(results.join(options.full === true ? '\n' : ''), answer);
        cli.printRecalled(options.json, answer, `${text}${similar}`);
      }),
    );
}
