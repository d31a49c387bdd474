import { awaitSettled, recordedHooks, replayHooks } from '../../cli/demo/demo.ts';
import type { Credentials } from '../../cli/server/access.ts';
import { ServerClient } from '../../cli/server/server-client.ts';
import { silentProgress } from '../../infra/supervisor/progress.ts';

/** Replays the recorded session on a server and waits until it is settled. Returns its id. @throws Error if it does not settle */
export async function replayDemo(credentials: Credentials): Promise<string> {
  const client = new ServerClient(credentials);
  const hooks = recordedHooks();
  const { signal } = new AbortController();
  const step = silentProgress.step('demo');
  await replayHooks(client, hooks, signal, step);
  const { id } = await awaitSettled(client, `claude-code:${hooks[0]?.session_id ?? ''}`, signal, step);
  return id;
}
