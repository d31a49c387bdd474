import { parentPort, workerData } from 'node:worker_threads';
import pg from 'pg';
import { createWeaviateIndex } from '../../../stores/weaviate/weaviate-index.ts';
import { createSpeedCorpus } from './speed-corpus.ts';
import { writeMemories, writeSessions } from './speed-fill.ts';
import type { WriterSettings } from './speed-writing.ts';

// Indexes memories with given vectors at a steady rate in a thread, until stopped.

const BATCHES_PER_SECOND = 4;
/** Generated before the measurement. */
const MADE_SECONDS = 90;

async function write(settings: WriterSettings): Promise<void> {
  const database = new pg.Pool({ connectionString: settings.databaseUrl, max: 2 });
  const target = { ...settings.target, database };
  const vectors = createWeaviateIndex(settings.weaviate);
  const corpus = createSpeedCorpus();
  const { first, perSecond, anchorVectors } = settings;
  const made = Array.from({ length: perSecond * MADE_SECONDS }, (_, n) => corpus.memory(first + n, anchorVectors));
  await writeSessions(target, first, first + made.length);
  let stopping = false;
  parentPort?.on('message', () => {
    stopping = true;
  });
  parentPort?.postMessage({ written: 0, seconds: 0 }, []);
  const size = perSecond / BATCHES_PER_SECOND;
  const started = performance.now();
  let written = 0;
  for (; !stopping && written < made.length; written += size) {
    const due = started + (written / perSecond) * 1_000;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    await writeMemories(target, vectors, made.slice(written, written + size), first + written);
  }
  parentPort?.postMessage({ written, seconds: (performance.now() - started) / 1_000 }, []);
  parentPort?.close();
  await vectors.close();
  await database.end();
}

await write(workerData);
