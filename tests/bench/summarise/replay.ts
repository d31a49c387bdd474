import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { replayHooks } from '../../../cli/demo/demo.ts';
import type { RecordedHook } from '../../../cli/demo/demo.ts';
import { ServerClient } from '../../../cli/server/server-client.ts';
import { silentProgress } from '../../../infra/supervisor/progress.ts';
import type { BenchInstance } from '../capture/bench-instance.ts';

const EVENTS = fileURLToPath(new URL('../../../../shared/data/coding-sessions/events', import.meta.url));
const line = z.looseObject({ session_id: z.string(), hook_event_name: z.string(), cwd: z.string() });

/** Returns the shared coding sessions as hooks, with other session ids if a mark is given. */
export function sharedHooks(mark = ''): readonly (readonly RecordedHook[])[] {
  return readdirSync(EVENTS)
    .toSorted()
    .map((file) =>
      readFileSync(path.join(EVENTS, file), 'utf8')
        .trim()
        .split('\n')
        .map((text) => marked(line.parse(JSON.parse(text)), mark)),
    );
}

function marked(hook: RecordedHook, mark: string): RecordedHook {
  if (mark === '') return hook;
  const useId = hook['tool_use_id'];
  return {
    ...hook,
    session_id: `${hook.session_id}-${mark}`,
    ...(typeof useId === 'string' ? { tool_use_id: `${useId}-${mark}` } : {}),
  };
}

/** Delivers the sessions through the public API, sequentially; returns their ids. */
export async function replaySessions(
  instance: BenchInstance,
  sessions: readonly (readonly RecordedHook[])[],
): Promise<readonly string[]> {
  const client = new ServerClient({ url: instance.url, apiKey: instance.key });
  const never = new AbortController().signal;
  for (const hooks of sessions) await replayHooks(client, hooks, never, silentProgress.step('replay'));
  return sessions.map((hooks) => `claude-code:${hooks[0]?.session_id ?? ''}`);
}

const LOOK_MS = 500;

/** Waits until every session has its summary and learnings; with `vectors`, until everything is indexed, too. */
export async function awaitUnderstood(
  instance: BenchInstance,
  ids: readonly string[],
  { vectors, timeoutMs }: { readonly vectors: boolean; readonly timeoutMs: number },
): Promise<void> {
  const client = new ServerClient({ url: instance.url, apiKey: instance.key });
  const deadline = performance.now() + timeoutMs;
  for (const id of ids) {
    for (;;) {
      const { phase, pending, waiting_reason: waiting } = await client.session(id);
      const isLearned = pending.summarise === 0 && pending.learn === 0;
      if (isLearned && (!vectors || (phase === 'settled' && pending.embed === 0))) break;
      if (performance.now() > deadline)
        throw new Error(`${id} is ${phase}, ${JSON.stringify(pending)}, waits for ${waiting ?? 'nothing'}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }
}
