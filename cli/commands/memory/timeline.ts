import { Option } from 'commander';
import type { Command } from 'commander';
import type { CompactMemory, MemoryType, TimelineAnswer } from '../../../client/index.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { isMemoryName, withDataDir } from '../../options.ts';
import { compactText, writeRecalled } from '../../text/memory-text.ts';
import { withMemory, withServer } from '../../with-server.ts';
import { MEMORY_TYPES } from '../../../domain/ports/vector-index.ts';
import { Summaries } from '../../server/memory.ts';
import type { SummarisedSession } from '../../server/memory.ts';
import { projectFacts } from '../../../hook/project/facts.ts';
import { summaryText } from '../../text/summary-text.ts';

interface SummaryOptions {
  readonly dataDir: string;
  readonly now?: boolean;
  readonly json?: boolean;
}

/** Longest wait of the server for a summary. */
const WAIT_SECONDS = 60;

/** Returns the newest session of the current folder's project, else the newest session of all. */
async function newestHere(summaries: Summaries, dataDir: string): Promise<SummarisedSession | null> {
  const facts = await projectFacts(process.cwd(), dataDir);
  for (const fact of ['git_remote', 'root']) {
    const named = facts[fact];
    const found = named === undefined ? null : await summaries.newestSession(named);
    if (found !== null) return found;
  }
  return summaries.newestSession();
}

export function addSummary(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  withDataDir(program.command('summary'), environment)
    .description("show a session's summary")
    .argument('[session]', 'id or host:id (default: newest session of this folder, else of all)')
    .option('--now', 'summarise first, without ending the session')
    .option('--json', 'print JSON')
    .action(async (given: string | undefined, options: SummaryOptions) =>
      exit(
        await withServer(options.dataDir, context, async (steering, client) => {
          const summaries = new Summaries(client);
          const session =
            given === undefined ? await newestHere(summaries, options.dataDir) : await summaries.session(given);
          if (session === null) {
            output.err('No sessions yet.\n');
            return 1;
          }
          if (options.now === true) {
            const order = await steering.order(session.id, 'summaries', WAIT_SECONDS);
            if (!order.done) output.err(`${order.job.id} is still running. See recollect jobs.\n`);
            else if (order.last_error !== null) output.err(`Summarising failed: ${order.last_error}\n`);
          }
          const written = await summaries.ofSession(session.id);
          if (options.json === true) output.out(`${JSON.stringify({ session, summaries: written })}\n`);
          else writeRecalled(output, summaryText(session, written));
          return 0;
        }),
      ),
    );
}

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
