import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startBenchInstance } from '../capture/bench-instance.ts';
import type { BenchInstance } from '../capture/bench-instance.ts';

/** Closing thousands of idle sessions would disturb the measurement. */
const SETTINGS = { RECOLLECT_TRANSCRIPTS: 'off', RECOLLECT_SESSION_IDLE_MS: '86400000' };
/** Every query waits this long for a stopped engine. */
const RETRIEVER_TIMEOUT_MS = '250';

async function withInstance<Result>(
  dataDir: string,
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
async function whileStanding<Result>(pid: number, work: () => Promise<Result>): Promise<Result> {
  process.kill(pid, 'SIGSTOP');
  try {
    return await work();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

/** Runs `work` on this folder's instance, then without the embedding model, and without Weaviate. */
export async function measureOutage<Whole, Part>(
  kept: string | undefined,
  whole: (instance: BenchInstance) => Promise<Whole>,
  part: (instance: BenchInstance) => Promise<Part>,
): Promise<{ readonly whole: Whole; readonly withoutModel: Part; readonly withoutWeaviate: Part }> {
  const dataDir = kept ?? mkdtempSync(path.join(tmpdir(), 'recollect-bench-'));
  const noModel = mkdtempSync(path.join(tmpdir(), 'recollect-no-model-'));
  try {
    return {
      whole: await withInstance(dataDir, {}, whole),
      withoutModel: await withInstance(dataDir, { RECOLLECT_EMBEDDING_MODEL_DIR: noModel }, part),
      withoutWeaviate: await withInstance(
        dataDir,
        { RECOLLECT_SEARCH_RETRIEVER_TIMEOUT_MS: RETRIEVER_TIMEOUT_MS },
        async (instance) => whileStanding(instance.pid('weaviate'), () => part(instance)),
      ),
    };
  } finally {
    rmSync(noModel, { recursive: true });
    if (kept === undefined) rmSync(dataDir, { recursive: true, force: true });
  }
}
