import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';

const folder = mkdtempSync(path.join(tmpdir(), 'recollect-lifecycle-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const LIFECYCLE = new URL('../../config/process-lifecycle.ts', import.meta.url).href;

/** A process as the supervisor starts it: reports that it is ready, and why it was stopped by its exit code. */
function child(): ReturnType<typeof fork> {
  const file = path.join(folder, 'child.mjs');
  writeFileSync(
    file,
    `import { announceReady, leaveSupervisor, stopRequested } from '${LIFECYCLE}';
     const stop = stopRequested();
     announceReady();
     const reason = await stop;
     leaveSupervisor();
     process.exitCode = reason === 'the supervisor has exited' ? 3 : 4;`,
  );
  return fork(file, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
}

test('a process ends if its supervisor ended, or on a signal to stop', async () => {
  const left = child();
  await once(left, 'message');
  left.disconnect();
  expect(await once(left, 'exit')).toEqual([3, null]);
  const signalled = child();
  await once(signalled, 'message');
  signalled.kill('SIGTERM');
  expect(await once(signalled, 'exit')).toEqual([4, null]);
});
