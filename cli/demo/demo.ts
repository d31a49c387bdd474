import { chmodSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { RecollectClient } from '../../client/index.ts';
import { readCredentials } from '../server/access.ts';
import { learningSchema } from '../../contract/learnings.ts';
import type { SessionDetail } from '../../contract/sessions.ts';
import { cursorPageOf } from '../../contract/shared.ts';
import { ServerClient } from '../server/server-client.ts';
import type { ProgressStep, Progress } from '../../infra/supervisor/progress.ts';
import { heading, wrap } from '../text/text-layout.ts';
import { showContext, showLearnings, showSearch, showSummary } from './show.ts';

const RECORDED = new URL('./session/events.ndjson', import.meta.url);
const QUESTION = 'why was the invoice a cent off, and how is money kept?';
const SETTLE_TIMEOUT_MS = 120_000;
const POLL_MS = 100;

const hookSchema = z.looseObject({ session_id: z.string(), hook_event_name: z.string(), cwd: z.string() });
export type RecordedHook = z.output<typeof hookSchema>;

/** Returns the hooks of the recorded session in order. */
export function recordedHooks(): RecordedHook[] {
  return readFileSync(RECORDED, 'utf8')
    .trim()
    .split('\n')
    .map((line) => hookSchema.parse(JSON.parse(line)));
}

/** Creates a temporary data directory that PostgreSQL's user can enter. */
export function scratchDataDirectory(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'recollect-demo-'));
  chmodSync(folder, 0o755);
  return folder;
}

export interface DemoTimes {
  /** Delivery of all hooks. */
  readonly replayMs: number;
  /** From the last delivery to the settled session: summaries, learnings and vectors. */
  readonly settleMs: number;
}

/** Delivers hooks in order through the public interface. */
export async function replayHooks(
  client: ServerClient,
  hooks: readonly RecordedHook[],
  signal: AbortSignal,
  step: ProgressStep,
): Promise<void> {
  for (const [index, hook] of hooks.entries()) {
    signal.throwIfAborted();
    await client.hook(hook.hook_event_name, hook, `demo-${hook.session_id}-${index}`);
    step.update(`${index + 1} of ${hooks.length} events`);
  }
}

/** Waits until a session is settled and shows its progress. @throws Error after `timeoutMs` */
export async function awaitSettled(
  client: ServerClient,
  sessionId: string,
  signal: AbortSignal,
  step: ProgressStep,
  timeoutMs: number = SETTLE_TIMEOUT_MS,
): Promise<SessionDetail> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    signal.throwIfAborted();
    const session = await client.session(sessionId);
    const waits = session.waiting_reason === null ? '' : `, waits: ${session.waiting_reason}`;
    step.update(
      `${session.phase}: ${session.counts.summaries} summaries, ${session.counts.learnings} learnings, ${session.pending.embed} vectors to write${waits}`,
    );
    if (session.phase === 'settled' && session.pending.embed === 0) return session;
    if (performance.now() > deadline)
      throw new Error(`the session did not settle within ${timeoutMs / 1_000} s; see the log of the worker`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Replays the recorded session on a running instance and prints the resulting memories. */
export async function demonstrate(
  credentialsPath: string,
  progress: Progress,
  signal: AbortSignal,
  out: (text: string) => void,
): Promise<DemoTimes> {
  const credentials = readCredentials(credentialsPath);
  const client = new ServerClient(credentials);
  const memory = new RecollectClient(credentials);
  const hooks = recordedHooks();
  const [first] = hooks;
  if (first === undefined) throw new Error('the recorded session is empty');
  const sessionId = `claude-code:${first.session_id}`;

  const started = performance.now();
  const replaying = progress.step('replay');
  await replayHooks(client, hooks, signal, replaying);
  const replayed = performance.now();
  replaying.done(
    `${hooks.length} hooks of a recorded coding session in ${((replayed - started) / 1_000).toFixed(1)} s`,
  );
  const remembering = progress.step('remember');
  const session = await awaitSettled(client, sessionId, signal, remembering);
  const settled = performance.now();
  remembering.done(
    `${session.counts.summaries} summaries, ${session.counts.learnings} learnings and all vectors, ${((settled - replayed) / 1_000).toFixed(1)} s after the last event`,
  );

  // The first search loads the model; the shown one is warm.
  await memory.search(QUESTION, { limit: 1 });
  const search = await memory.search(QUESTION, { limit: 5, explain: true });
  const { data: learnings } = await client.get('/learnings', cursorPageOf(learningSchema), {
    session: sessionId,
    limit: 100,
  });
  const lines = [
    heading('Captured events'),
    ...wrap(
      `${hooks.length} hooks became ${session.counts.prompts} messages, ${session.counts.observations} tool results and notes (${session.counts.tokens} tokens) and ${session.counts.boundaries} boundaries; hooks before a tool only ask for context; private text and secrets were redacted before storage`,
      '  ',
    ),
    ...showSummary(await client.summaries(sessionId)),
    ...showLearnings(learnings),
    ...showSearch(QUESTION, search.data, search.took_ms, search.degraded),
    ...showContext(await memory.context({ purpose: 'session_start', project: first.cwd })),
  ];
  out(`${lines.join('\n')}\n`);
  return { replayMs: replayed - started, settleMs: settled - replayed };
}
