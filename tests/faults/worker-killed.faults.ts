import { expect, test } from 'vitest';
import { fileInstance } from '../setup/file-instance.ts';
import { SWEEPS } from '../setup/instance.ts';
import { demoHooks, replay, sessionOf, settled } from '../setup/demo-session.ts';
import type { RecordedHook } from '../setup/demo-session.ts';
import { until } from '../setup/until.ts';
import { startWorkerProcess } from '../setup/worker-process.ts';

const instance = fileInstance({}, SWEEPS);

/** Returns the recorded session in another project, to compare two: memory of the project changes the summaries. */
function copyOf(session: string): RecordedHook[] {
  return demoHooks().map((hook) => ({
    ...hook,
    session_id: session,
    cwd: `/src/${session}`,
    ...(typeof hook['tool_use_id'] === 'string' ? { tool_use_id: `${session}-${hook['tool_use_id']}` } : {}),
  }));
}

/** Returns the memory of a session, without ids and times. */
async function memoryOf(id: string) {
  const rows = (text: string) => instance.rows<Record<string, unknown>>(text, [id]);
  return {
    windows: await rows('SELECT n, from_seq, to_seq, state FROM windows WHERE session_id = $1 ORDER BY n'),
    summaries: await rows(
      'SELECT slot, kind, title, content, files_modified FROM summaries WHERE session_id = $1 ORDER BY slot',
    ),
    prompts: await rows('SELECT seq, content FROM prompts WHERE session_id = $1 ORDER BY seq'),
    observations: await rows('SELECT seq, title, content FROM observations WHERE session_id = $1 ORDER BY seq'),
    vectors: await rows(
      "SELECT resource_type, state, count(*)::integer AS n FROM embeddings WHERE session_id = $1 AND resource_type <> 'learning' GROUP BY 1, 2 ORDER BY 1, 2",
    ),
  };
}

test('a worker killed in the middle of a session does not change its memory', { timeout: 240_000 }, async () => {
  const environment = { ...instance.environment, RECOLLECT_HTTP_PORT: '37700' };
  let worker = await startWorkerProcess(environment);
  await replay(instance, copyOf('undisturbed'));
  const undisturbed = await settled(instance, 'claude-code:undisturbed');

  const hooks = copyOf('disturbed');
  const middle = Math.floor(hooks.length / 2);
  await replay(instance, hooks.slice(0, middle));
  await until(async () =>
    (await sessionOf(instance, 'claude-code:disturbed')).counts.summaries > 0 ? true : undefined,
  );
  await worker.kill();
  await replay(instance, hooks.slice(middle), middle);
  worker = await startWorkerProcess(environment);
  const disturbed = await settled(instance, 'claude-code:disturbed');

  expect(await memoryOf(disturbed.id)).toEqual(await memoryOf(undisturbed.id));
  expect(disturbed.counts).toEqual(undisturbed.counts);
  expect(await worker.stop()).toBe(0);
});
