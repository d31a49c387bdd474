import { Option } from 'commander';
import type { Command } from 'commander';
import type { MemoryType, TimelineAnswer } from '../../../client/index.ts';
import { actionAnswer, sessionSchema } from '../../../contract/sessions.ts';
import type { Session } from '../../../contract/sessions.ts';
import { cursorPageOf } from '../../../contract/shared.ts';
import { MEMORY_TYPES } from '../../../domain/ports/vector-index.ts';
import { projectFacts } from '../../../hook/project/facts.ts';
import type { Cli } from '../../cli.ts';
import { isMemoryName } from '../../options.ts';
import { path } from '../../server/server-client.ts';
import type { ServerClient } from '../../server/server-client.ts';
import { shortMemoryText } from '../../text/memory-text.ts';
import { summaryText } from '../../text/summary-text.ts';

interface SummaryOptions {
  readonly dataDir: string;
  readonly now?: boolean;
  readonly json?: boolean;
}

/** Longest wait of the server for a summary. */
const WAIT_SECONDS = 60;

/** Returns the newest session of the current folder's project, else the newest session of all; undefined for none. */
async function newestHere(server: ServerClient, dataDir: string): Promise<Session | undefined> {
  const { git_remote: remote, root } = await projectFacts(process.cwd(), dataDir);
  const here = [remote, root].filter((fact) => fact !== undefined);
  for (const project of [...here, undefined]) {
    const { data } = await server.get('/sessions', cursorPageOf(sessionSchema), { limit: 1, project });
    if (data[0] !== undefined) return data[0];
  }
  return undefined;
}

export function addSummary(program: Command, cli: Cli): void {
  const { output } = cli;
  cli
    .command(program, 'summary', "show a session's summary")
    .argument('[session]', 'id or host:id (default: newest session of this folder, else of all)')
    .option('--now', 'summarise first, without ending the session')
    .option('--json', 'print JSON')
    .action(
      cli.onServer(async (server, given: string | undefined, { now, json, dataDir }: SummaryOptions) => {
        const session = given === undefined ? await newestHere(server, dataDir) : await server.session(given);
        if (session === undefined) {
          output.err('No sessions yet.\n');
          return 1;
        }
        if (now === true) {
          const order = await server.request('POST', path`/sessions/${session.id}/summaries`, actionAnswer, {
            query: { wait: WAIT_SECONDS },
          });
          if (!order.done) output.err(`${order.job.id} is still running. See recollect jobs.\n`);
          else if (order.last_error !== null) output.err(`Summarising failed: ${order.last_error}\n`);
        }
        const summaries = await server.summaries(session.id);
        cli.printRecalled(json, { session, summaries }, summaryText(session, summaries));
        return 0;
      }),
    );
}

interface Options {
  readonly search?: boolean;
  readonly before: string;
  readonly after: string;
  readonly project?: string;
  readonly type?: readonly MemoryType[];
  readonly json?: boolean;
}

function timelineText({ anchor, data, has_before: hasBefore, has_after: hasAfter }: TimelineAnswer): string {
  if (anchor === null) return 'Nothing was found.\n';
  const now = Date.now();
  const lines = data.map((memory) => shortMemoryText(memory, now, memory.hash === anchor.hash ? '> ' : '  '));
  return `${hasBefore ? '  …\n' : ''}${lines.join('')}${hasAfter ? '  …\n' : ''}`;
}

export function addTimeline(program: Command, cli: Cli): void {
  cli
    .command(program, 'timeline', 'show the memories before and after a memory')
    .argument('<anchor...>', 'hash or id of a memory, or a query whose best result is the anchor')
    .option('--search', 'treat the anchor as a query even if it has the form of a hash')
    .option('--before <count>', 'maximum number of rows, up to 50', '5')
    .option('--after <count>', 'maximum number of rows, up to 50', '5')
    .option('--project <project>', 'timeline of a project instead of the session')
    .addOption(new Option('--type <types...>', 'filter by type').choices(MEMORY_TYPES))
    .option('--json', 'print JSON')
    .action(
      cli.onMemory(async (memory, words: readonly string[], options: Options) => {
        const given = words.join(' ');
        const isName = options.search !== true && isMemoryName(given);
        const question = {
          ...(isName ? { anchor: given } : { q: given }),
          before: Number(options.before),
          after: Number(options.after),
          project: options.project,
          types: options.type,
        };
        if (options.json === true) cli.print(true, await memory.timeline({ ...question, format: 'compact' }), '');
        else cli.printRecalled(false, null, timelineText(await memory.timeline(question)));
      }),
    );
}
