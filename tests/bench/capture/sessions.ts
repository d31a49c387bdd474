import { workflowIdOf } from '../../../workflows/registry.ts';
import type { BenchInstance } from './bench-instance.ts';
import { historiesOf } from './histories.ts';

const SESSIONS = 500;
const EVENTS = 40;
const LONG_SESSION_EVENTS = 5_000;
const LONG_BATCH = 50;
const LIMIT_MS = 900_000;
const POLL_MS = 250;

/** Captures a batch of events. @throws Error unless all are accepted */
export async function send(instance: BenchInstance, events: readonly object[]): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${instance.port}/api/v1/events/batch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${instance.key}`, 'content-type': 'application/json' },
    body: JSON.stringify(events),
  });
  const text = await answer.text();
  if (answer.status !== 202 || !text.includes(`"accepted":${events.length}`))
    throw new Error(`the batch returned ${answer.status}: ${text.slice(0, 300)}`);
}

/** Returns the n-th event of a typical session: prompts, tool calls, ends of turns. */
function eventOf(session: string, n: number): object {
  const common = { host: 'bench', session_id: session, key: `${session}-${n}`, project: { path: '/src/ledger' } };
  if (n % 10 === 0)
    return {
      ...common,
      type: 'prompt',
      role: 'user',
      content: `Why is invoice ${n} a cent off? Fix the rounding and run the tests.`,
    };
  if (n % 10 === 9) return { ...common, type: 'turn.ended' };
  return {
    ...common,
    type: 'observation',
    tool: {
      name: n % 3 === 0 ? 'Edit' : 'Bash',
      input:
        n % 3 === 0
          ? { file_path: `/src/ledger/rounding-${n}.ts`, old_string: 'Math.round(x)', new_string: 'roundHalfEven(x)' }
          : { command: `npm test -- rounding ${n}` },
      response: `step ${n} of ${session}: 14 tests passed, the total of the invoice is 1,204.${n % 100} now`,
    },
  };
}

/** Waits until this many sessions of a name are ended, settled and summarised, with all vectors written. */
async function settled(instance: BenchInstance, prefix: string, count: number): Promise<void> {
  const deadline = performance.now() + LIMIT_MS;
  for (;;) {
    const found = await instance.database.query<{ done: number; pending: number }>(
      `SELECT count(*) FILTER (WHERE s.status = 'ended' AND s.phase = 'settled'
                 AND EXISTS (SELECT FROM summaries m WHERE m.session_id = s.id AND m.type = 'session'))::integer AS done,
              count(*) FILTER (WHERE EXISTS (SELECT FROM embeddings e WHERE e.session_id = s.id AND e.state = 'pending'))::integer AS pending
         FROM sessions s WHERE s.host = 'bench' AND s.external_id LIKE $1`,
      [`${prefix}%`],
    );
    const [row] = found.rows;
    if (row !== undefined && row.done >= count && row.pending === 0) return;
    if (performance.now() > deadline) throw new Error(`after ${LIMIT_MS / 1_000} s: ${JSON.stringify(row)}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Returns the ids of all workflows that sessions of a name may have. */
export async function workflowIds(instance: BenchInstance, prefix: string): Promise<Set<string>> {
  const found = await instance.database.query<{ tenant_id: string; id: string }>(
    "SELECT tenant_id, id FROM sessions WHERE host = 'bench' AND external_id LIKE $1",
    [`${prefix}%`],
  );
  return new Set(
    found.rows.flatMap((row) => [
      workflowIdOf('session', row.tenant_id, row.id),
      workflowIdOf('learning', row.tenant_id, row.id),
    ]),
  );
}

/** Measures the time until 500 sessions of 40 events, ended in one batch, are summarised by the local model and searchable. */
export async function endedAtOnce(instance: BenchInstance): Promise<object> {
  const names = Array.from({ length: SESSIONS }, (_, n) => `ended-${String(n).padStart(3, '0')}`);
  for (const name of names)
    await send(
      instance,
      Array.from({ length: EVENTS - 1 }, (_, n) => eventOf(name, n)),
    );
  const started = performance.now();
  await send(
    instance,
    names.map((name) => ({ type: 'session.ended', host: 'bench', session_id: name, key: `${name}-end` })),
  );
  await settled(instance, 'ended-', SESSIONS);
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  const { tasks, runs, longest } = await historiesOf(instance, await workflowIds(instance, 'ended-'));
  return {
    sessions: SESSIONS,
    events_each: EVENTS,
    all_searchable_s: seconds,
    workflow_tasks_per_session: Math.round((tasks / SESSIONS) * 10) / 10,
    runs,
    longest_history: longest,
  };
}

/** One session of 5,000 events, in batches like a busy agent's: measures the history length before it continues as new. */
export async function longSession(instance: BenchInstance): Promise<object> {
  for (let from = 0; from < LONG_SESSION_EVENTS; from += LONG_BATCH)
    await send(
      instance,
      Array.from({ length: LONG_BATCH }, (_, n) => eventOf('long-0', from + n)),
    );
  await send(instance, [{ type: 'session.ended', host: 'bench', session_id: 'long-0', key: 'long-end' }]);
  await settled(instance, 'long-', 1);
  const { runs, tasks, longest } = await historiesOf(instance, await workflowIds(instance, 'long-'));
  return { events: LONG_SESSION_EVENTS, longest_history: longest, runs, workflow_tasks: tasks };
}
