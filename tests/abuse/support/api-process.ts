import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import { z } from 'zod';
import { processEnvironment } from '../../../config/process-environment.ts';
import { bootstrapTemporal } from '../../../infra/bootstrap/temporal.ts';
import { nodeCommand } from '../../../infra/supervisor/node-service.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase, TestUser } from '../../setup/database.ts';
import { testEnvironment } from '../../setup/instance.ts';
import { freePort } from '../../setup/worker-process.ts';

const MONITOR = fileURLToPath(new URL('loop-monitor.ts', import.meta.url));
const pauseAnswer = z.object({ pauseMs: z.number(), withWaitMs: z.number() });

export interface ApiProcess {
  readonly url: string;
  readonly db: TestDatabase;
  readonly admin: TestUser;
  /** Longest pause of its event loop since the last call, in milliseconds, without and with the time in which it had no core. */
  longestPause(): Promise<z.output<typeof pauseAnswer>>;
  /** Resident memory, in MiB. */
  residentMib(): number;
  readonly hasEnded: boolean;
  close(): Promise<void>;
}

/** Returns the flags that the supervisor passes to the api, without its entry file. */
function flagsOfApi(): string[] {
  return nodeCommand('api/main', {}).args.filter((argument) => argument.startsWith('--'));
}

/** Starts the API with the supervisor's flags on its own database, with a monitored event loop. */
export async function startApiProcess(): Promise<ApiProcess> {
  const entry = path.join('api', 'main.ts');
  const db = await createTestDatabase();
  const namespace = `test-${crypto.randomUUID()}`;
  await bootstrapTemporal({ address: inject('engines').temporal.address, namespace, operations: [] });
  const admin = await db.createUser({ role: 'admin' });
  const port = await freePort();
  const { PATH, HOME, ABUSE_ROOT } = processEnvironment();
  const root = ABUSE_ROOT ?? fileURLToPath(new URL('../../..', import.meta.url));
  const child = fork(path.join(root, entry), {
    execArgv: [...flagsOfApi(), '--import', MONITOR],
    env: { PATH, HOME, ...testEnvironment(db, namespace, { RECOLLECT_HTTP_PORT: String(port) }) },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  let ended = false;
  child.once('exit', () => (ended = true));
  await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error('the api did not start'))),
  ]);
  return {
    url: `http://127.0.0.1:${port}`,
    db,
    admin,
    async longestPause() {
      const answer = once(child, 'message');
      child.send('longest pause');
      const [message]: unknown[] = await answer;
      return pauseAnswer.parse(message);
    },
    residentMib() {
      const pages = Number(readFileSync(`/proc/${child.pid}/statm`, 'utf8').split(' ')[1]);
      return (pages * 4_096) / 1024 / 1024;
    },
    get hasEnded() {
      return ended;
    },
    async close() {
      if (!ended) {
        const exited = once(child, 'exit');
        child.kill('SIGTERM');
        await exited;
      }
      await db.close();
    },
  };
}
