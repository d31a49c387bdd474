import type { Command } from 'commander';
import { Summaries } from '../../server/memory.ts';
import type { SummarisedSession } from '../../server/memory.ts';
import { projectFacts } from '../../../hook/project/facts.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { withDataDir } from '../../options.ts';
import { writeRecalled } from '../../text/recalled-text.ts';
import { summaryText } from '../../text/summary-text.ts';
import { withServer } from '../../with-server.ts';

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
