import { benchEmbedder } from '../embedder.ts';

export interface BareRate {
  readonly chunksPerSecond: number;
  /** Processor time per chunk. */
  readonly cpuMs: number;
}

/** Measures the embedding model alone, with the worker's number of threads, on these texts. */
export async function bareRate(texts: readonly string[], threads: number): Promise<BareRate> {
  const embedder = benchEmbedder({ threads });
  try {
    await embedder.embed(texts.slice(0, 16), 'passage');
    const cpu = process.cpuUsage();
    const started = performance.now();
    await embedder.embed(texts, 'passage');
    const seconds = (performance.now() - started) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    return { chunksPerSecond: texts.length / seconds, cpuMs: (user + system) / 1_000 / texts.length };
  } finally {
    await embedder.close();
  }
}
