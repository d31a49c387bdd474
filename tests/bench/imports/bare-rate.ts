import { chunkText } from '../../../domain/chunking.ts';
import { benchEmbedder } from '../embedder.ts';

export interface BareRate {
  readonly chunksPerSecond: number;
  /** Processor time per chunk. */
  readonly cpuMs: number;
}

/** Measures the embedding model alone, with the worker's number of threads, on the chunks of these prompts. */
export async function bareRate(prompts: readonly string[], threads: number): Promise<BareRate> {
  const texts = prompts.flatMap((prompt) => chunkText('', prompt).map((chunk) => chunk.text));
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
