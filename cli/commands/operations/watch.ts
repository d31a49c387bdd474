import type { Command } from 'commander';
import type { StreamEvent, StreamEventType } from '../../../client/index.ts';
import { RecollectError } from '../../../client/index.ts';
import { STREAM_EVENT_TYPES } from '../../../domain/stream.ts';
import type { Cli } from '../../cli.ts';
import { terminalText } from '../../text/terminal-text.ts';
import { interruptible } from '../../waiting.ts';

const TYPE_WIDTH = Math.max(...STREAM_EVENT_TYPES.map((type) => type.length));

interface WatchOptions {
  readonly type?: string;
  readonly project?: string;
  readonly session?: string;
  readonly since?: string;
  readonly follow: boolean;
  readonly json?: boolean;
}

/** Returns an event in one line: time, type, ids, counters and states. */
export function eventLine(event: StreamEvent): string {
  if (event.type === 'ready') return 'Watching. Stop with Ctrl-C.';
  if (event.type === 'reset') return 'Events are missing: they are older than a day, or the database was restored.';
  const details = Object.entries({ session: event.session_id, id: event.subject_id, ...event.data })
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${String(value)}`);
  return terminalText([event.occurred_at, event.type.padEnd(TYPE_WIDTH), ...details].join(' '));
}

function typesOf(given: string): StreamEventType[] {
  const named = given.split(',').map((type) => type.trim());
  const known = STREAM_EVENT_TYPES.filter((type) => named.includes(type));
  if (known.length === new Set(named).size) return known;
  throw new RecollectError(`--type must be of ${STREAM_EVENT_TYPES.join(', ')}, separated by commas`, {
    status: 0,
    code: 'INVALID_CALL',
  });
}

export function addWatch(program: Command, cli: Cli): void {
  cli
    .command(program, 'watch', 'show changes as they happen: sessions, summaries, learnings, jobs')
    .option('--type <types>', `types, separated by commas: ${STREAM_EVENT_TYPES.join(', ')}`)
    .option('--project <project>', 'only this project: id, git remote, folder or name')
    .option('--session <session>', 'only this session: id, or host:external id')
    .option('--since <id>', 'continue after the event with this id')
    .option('--no-follow', 'end after the events until now')
    .option('--json', 'print one JSON object per event')
    .action(
      cli.onMemory(async (memory, { type, project, session, since, follow, json }: WatchOptions) => {
        const query = {
          type: type === undefined ? undefined : typesOf(type),
          project,
          session,
          last_event_id: since,
          follow,
        };
        return interruptible(async (signal) => {
          try {
            for await (const event of memory.watch(query, { signal }))
              cli.output.out(`${json === true ? JSON.stringify(event) : eventLine(event)}\n`);
            return 0;
          } catch (error) {
            if (signal.aborted) return 130;
            throw error;
          }
        });
      }),
    );
}
