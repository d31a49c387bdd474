import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { demoHooks } from '../../setup/demo-session.ts';
import type { RecordedHook } from '../../setup/demo-session.ts';
import { asEvents, asHooks } from './deliveries.ts';
import type { SessionScript } from './deliveries.ts';

const SHARED = new URL('../../../../shared/data/coding-sessions/events/', import.meta.url);
const hookSchema = z.looseObject({ session_id: z.string(), hook_event_name: z.string() });

/** Returns the shared real sessions if they exist beside the repository, else the recorded one of the repository. */
export function recordedSessions(): readonly (readonly RecordedHook[])[] {
  if (!existsSync(SHARED)) return [demoHooks()];
  return readdirSync(SHARED)
    .filter((name) => name.endsWith('.ndjson'))
    .sort()
    .map((name) =>
      readFileSync(new URL(name, SHARED), 'utf8')
        .trim()
        .split('\n')
        .map((line) => hookSchema.parse(JSON.parse(line))),
    );
}

/** Returns true if the shared real sessions exist. */
export function hasSharedSessions(): boolean {
  return existsSync(SHARED);
}

/** Returns a session start, then `count - 1` consecutive hooks from a user's prompt on, without an end. */
export function sliceOf(session: readonly RecordedHook[], count: number, random: () => number): RecordedHook[] {
  const inner = session.filter((hook) => !['SessionStart', 'SessionEnd'].includes(hook.hook_event_name));
  const prompts = inner.flatMap((hook, index) => (hook.hook_event_name === 'UserPromptSubmit' ? [index] : []));
  const late = Math.max(0, inner.length - count + 1);
  const starts = prompts.filter((index) => index <= late);
  const from = starts[Math.floor(random() * starts.length)] ?? 0;
  const first = session.find((hook) => hook.hook_event_name === 'SessionStart');
  return [...(first === undefined ? [] : [first]), ...inner.slice(from, from + count - 1)];
}

/** One session in four has no end hook and ends by its idle time. */
const LEFT_OPEN_EVERY = 4;
/** One client in four uses the neutral contract. */
const NEUTRAL_EVERY = 4;

/** Returns the sessions that each client sends one after another, cut from the recorded ones, with ids unique to `round`. */
export function clientScripts(
  round: string,
  shape: { readonly clients: number; readonly sessionsEach: number; readonly events: number },
  random: () => number,
): SessionScript[][] {
  const recorded = recordedSessions();
  return Array.from({ length: shape.clients }, (_, client) =>
    Array.from({ length: shape.sessionsEach }, (_, n) => {
      const session = recorded[(client + n * shape.clients) % recorded.length] ?? [];
      const hooks = sliceOf(session, shape.events, random);
      const last = session.at(-1);
      const isLeftOpen = (client + n) % LEFT_OPEN_EVERY === LEFT_OPEN_EVERY - 1;
      if (!isLeftOpen && last?.hook_event_name === 'SessionEnd') hooks.push(last);
      const externalId = `${round}-client${client}-session${n}`;
      return client % NEUTRAL_EVERY === NEUTRAL_EVERY - 1 ? asEvents(externalId, hooks) : asHooks(externalId, hooks);
    }),
  );
}
