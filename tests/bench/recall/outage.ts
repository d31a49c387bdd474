import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startBenchInstance } from '../capture/bench-instance.ts';
import type { BenchInstance } from '../capture/bench-instance.ts';

/** Closing thousands of idle sessions would disturb the measurement. */
const SETTINGS = { RECOLLECT_TRANSCRIPTS: 'off', RECOLLECT_SESSION_IDLE_MS: '86400000' };
/** Every query waits this long for a stopped engine. */
const RETRIEVER_TIMEOUT_MS = '250';

/** Runs `work` on an instance of a folder, or of a scratch one. */
export async function withInstance<Result>(
  dataDir: string | undefined,
  settings: Readonly<Record<string, string>>,
  work: (instance: BenchInstance) => Promise<Result>,
): Promise<Result> {
  const instance = await startBenchInstance({ ...SETTINGS, ...settings }, dataDir);
  try {
    return await work(instance);
  } finally {
    await instance.stop();
  }
}

/** Stops Weaviate: it accepts connections without responding. */
async function whileStopped<Result>(pid: number, work: () => Promise<Result>): Promise<Result> {
  process.kill(pid, 'SIGSTOP');
  try {
    return await work();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

/** Runs `complete` on the instance of a folder, then `degraded` without the embedding model and without Weaviate. */
export async function measureOutage<Complete, Degraded>(
  storedDir: string | undefined,
  complete: (instance: BenchInstance) => Promise<Complete>,
  degraded: (instance: BenchInstance) => Promise<Degraded>,
): Promise<{ readonly complete: Complete; readonly withoutModel: Degraded; readonly withoutWeaviate: Degraded }> {
  const dataDir = storedDir ?? mkdtempSync(path.join(tmpdir(), 'recollect-bench-'));
  const noModel = mkdtempSync(path.join(tmpdir(), 'recollect-no-model-'));
  try {
    return {
      complete: await withInstance(dataDir, {}, complete),
      withoutModel: await withInstance(dataDir, { RECOLLECT_EMBEDDING_MODEL_DIR: noModel }, degraded),
      withoutWeaviate: await withInstance(
        dataDir,
        { RECOLLECT_SEARCH_RETRIEVER_TIMEOUT_MS: RETRIEVER_TIMEOUT_MS },
        async (instance) => whileStopped(instance.pid('weaviate'), () => degraded(instance)),
      ),
    };
  } finally {
    rmSync(noModel, { recursive: true });
    if (storedDir === undefined) rmSync(dataDir, { recursive: true, force: true });
  }
}
