import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { TestInstance } from './instance.ts';
import { until } from './until.ts';

/** Limit for a hang, not for speed: a minute is too short on a busy machine. */
const SETTLING_MS = 180_000;

const hookSchema = z.looseObject({ session_id: z.string(), hook_event_name: z.string() });
export type RecordedHook = z.output<typeof hookSchema>;

/** Returns the hook payloads of the recorded session. */
export function demoHooks(): RecordedHook[] {
  const text = readFileSync(new URL('../../cli/demo/session/events.ndjson', import.meta.url), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => hookSchema.parse(JSON.parse(line)));
}

/** Posts hooks in order, each with its own delivery id. Throws unless each response is 200. */
export async function replay(
  instance: Pick<TestInstance, 'call'>,
  hooks: readonly RecordedHook[],
  from = 0,
): Promise<void> {
  for (const [index, hook] of hooks.entries()) {
    const answer = await instance.call('POST', `/hooks/${hook.hook_event_name}`, {
      body: hook,
      headers: { 'x-recollect-delivery': `delivery-${from + index}` },
    });
    if (answer.status !== 200)
      throw new Error(`hook ${from + index} returned ${answer.status}: ${JSON.stringify(answer.body)}`);
  }
}

const detailSchema = z.object({
  id: z.string(),
  status: z.string(),
  phase: z.string(),
  waiting_reason: z.string().nullable(),
  last_error: z.string().nullable(),
  counts: z.object({
    prompts: z.number(),
    observations: z.number(),
    summaries: z.number(),
    learnings: z.number(),
    windows_parked: z.number(),
    vectors_failed: z.number(),
  }),
  pending: z.object({ summarise: z.number(), learn: z.number(), embed: z.number() }),
});
export type SessionAnswer = z.output<typeof detailSchema>;

/** Returns a session of the api. */
export async function sessionOf(instance: Pick<TestInstance, 'call'>, id: string): Promise<SessionAnswer> {
  return detailSchema.parse((await instance.call('GET', `/sessions/${encodeURIComponent(id)}`)).body);
}

/** Awaits a session that is ended, settled and has no pending work. */
export function settled(
  instance: Pick<TestInstance, 'call'>,
  id: string,
  timeoutMs = SETTLING_MS,
): Promise<SessionAnswer> {
  return until(
    async () => {
      const session = await sessionOf(instance, id);
      const done =
        session.status === 'ended' &&
        session.phase === 'settled' &&
        Object.values(session.pending).every((count) => count === 0);
      return done ? session : undefined;
    },
    timeoutMs,
    `session ${id} to settle`,
  );
}

const completedSchema = z.object({ data: z.array(z.object({ id: z.string() })) });

/** Awaits a settled session whose job is completed: its workflow ends a moment after the row is settled, and the list of jobs follows. */
export async function finished(
  instance: Pick<TestInstance, 'call'>,
  id: string,
  timeoutMs = SETTLING_MS,
): Promise<SessionAnswer> {
  const session = await settled(instance, id, timeoutMs);
  await until(async () => {
    const { body } = await instance.call('GET', '/jobs?kind=session&state=completed&limit=100');
    return completedSchema.parse(body).data.some((job) => job.id === `session.${session.id}`) ? true : undefined;
  });
  return session;
}
