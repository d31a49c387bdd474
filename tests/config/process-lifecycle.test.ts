import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';

const folder = mkdtempSync(path.join(tmpdir(), 'recollect-lifecycle-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const LIFECYCLE = new URL('../../config/process-lifecycle.ts', import.meta.url).href;

/** A process as the supervisor starts it: says that it is ready, and answers why it was stopped with its exit code. */
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

test('a process whose supervisor is gone, and one that is told to stop, end by themselves', async () => {
  const left = child();
  await once(left, 'message');
  left.disconnect();
  expect(await once(left, 'exit')).toEqual([3, null]);
  const told = child();
  await once(told, 'message');
  told.kill('SIGTERM');
  expect(await once(told, 'exit')).toEqual([4, null]);
});
