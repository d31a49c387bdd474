import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import type { FillTarget } from './speed-fill.ts';
import type { WeaviateAddress } from './speed-weaviate.ts';

export interface WriterSettings {
  readonly databaseUrl: string;
  readonly weaviate: WeaviateAddress;
  readonly target: Omit<FillTarget, 'database'>;
  readonly anchorVectors: readonly Float32Array[];
  /** Number of the first memory that it writes. */
  readonly first: number;
  readonly perSecond: number;
}

const report = z.tuple([z.object({ written: z.number(), seconds: z.number() })]);

/** Runs `work` while a thread indexes memories at a steady rate; returns their number and the rate. */
export async function whileIndexing<Result>(
  settings: WriterSettings,
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly written: number; readonly perSecond: number }> {
  const writer = new Worker(new URL('speed-writer.ts', import.meta.url), { workerData: settings });
  const exited = once(writer, 'exit');
  await once(writer, 'message');
  try {
    const result = await work();
    const message = once(writer, 'message');
    writer.postMessage('stop', []);
    const [{ written, seconds }] = report.parse(await message);
    return { result, written, perSecond: Math.round((written / seconds) * 10) / 10 };
  } finally {
    writer.postMessage('stop', []);
    await exited;
  }
}
