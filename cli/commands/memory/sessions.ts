import type { Command } from 'commander';
import { jobsAnswer } from '../../../contract/jobs.ts';
import { actionAnswer, sessionDetail, sessionSchema } from '../../../contract/sessions.ts';
import { cursorPageOf } from '../../../contract/shared.ts';
import type { Cli } from '../../cli.ts';
import { integer } from '../../options.ts';
import { path } from '../../server/server-client.ts';
import { gapText } from '../../text/gap-text.ts';
import { sessionTable, stuckText } from '../../text/job-table.ts';

interface SessionsOptions {
  readonly stuck?: boolean;
  readonly project?: string;
  readonly limit: string;
  readonly json?: boolean;
}

/** Default of --wait; the job continues beyond it. */
const DEFAULT_WAIT_SECONDS = 60;

export function addSessions(program: Command, cli: Cli): void {
  const { output } = cli;
  const command = cli
    .command(program, 'sessions', 'list sessions with phase and wait reason, last started first')
    .option('--stuck', 'show only stuck sessions and the reason')
    .option('--project <project>', 'filter by project: id, git remote, folder or name')
    .option('--limit <count>', 'maximum number of rows, up to 100', '20')
    .option('--json', 'print JSON')
    .action(
      cli.onServer(async (server, { stuck, project, limit, json }: SessionsOptions) => {
        const state = stuck === true ? 'stuck' : 'all';
        const query = { kind: 'session', state, project, limit: Number(limit) };
        const { data, degraded } = await server.get('/jobs', jobsAnswer, query);
        const none =
          stuck === true
            ? 'No stuck sessions. Waiting ones: recollect jobs --kind session --state waiting.\n'
            : 'No sessions yet.\n';
        if (json === true || data.length === 0) cli.print(json, data, none);
        else {
          const shown = new Set(data.map((job) => job.session?.id));
          // The same sessions: both lists have the newest first.
          const listed = await server.get('/sessions', cursorPageOf(sessionSchema), { limit: 100 });
          const gaps = gapText(listed.data.filter(({ id }) => shown.has(id)));
          output.out(`${sessionTable(data, Date.now())}${stuckText(data)}${gaps === '' ? '' : `\n${gaps}`}`);
        }
        if (degraded.length > 0) output.err('Temporal is unavailable: the list comes from the database alone.\n');
      }),
    );

  for (const [name, route, description] of [
    ['summarise', 'summaries', 'summarise a session now without ending it'],
    ['close', 'close', 'end a session: summarise, extract learnings, index'],
  ] as const) {
    cli
      .command(command, name, description)
      .argument('<id>', 'id of the session, or host:id')
      .option('--wait <seconds>', 'seconds to wait for completion', integer(0, 60), DEFAULT_WAIT_SECONDS)
      .action(
        cli.onServer(async (server, id: string, { wait }: { readonly wait: number }) => {
          const query = { wait };
          const order = await server.request('POST', path`/sessions/${id}/${route}`, actionAnswer, { query });
          if (!order.done) output.out(`${order.job.id} is still running. See recollect jobs.\n`);
          else if (order.settled) output.out('The session is settled.\n');
          else if (order.summary_id !== null) output.out(`Summary: ${order.summary_id}\n`);
          else
            output.out(
              `No summary${order.last_error === null ? ': nothing to summarise' : ` (${order.last_error})`}.\n`,
            );
          return order.done && order.last_error !== null ? 1 : 0;
        }),
      );
  }

  cli
    .command(command, 'capture', 'enable or disable the capture of a session')
    .argument('<on|off>', 'new state')
    .argument('<id>', 'id of the session, or host:id')
    .action(
      cli.onServer(async (server, position: string, id: string) => {
        if (position !== 'on' && position !== 'off') {
          output.err('Expected on or off, then the session.\n');
          return 1;
        }
        const body = { capture: position === 'on' };
        const { capture } = await server.request('PUT', path`/sessions/${id}`, sessionDetail, { body });
        output.out(capture ? 'Capture enabled.\n' : 'Capture disabled: new events of the session are not stored.\n');
        return 0;
      }),
    );
}
