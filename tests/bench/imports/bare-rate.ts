import { cpuOf } from '../capture/cpu.ts';
import { benchEmbedder } from '../embedder.ts';
import { childrenOf } from '../process-tree.ts';

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
    // Of its own processes only: an instance may be a child of this one, too.
    const members = [process.pid, ...childrenOf(process.pid, 'embedding-process')];
    const cpuUs = () => members.reduce((sum, pid) => sum + cpuOf(pid), 0);
    const before = cpuUs();
    const started = performance.now();
    await embedder.embed(texts, 'passage');
    const seconds = (performance.now() - started) / 1_000;
    return { chunksPerSecond: texts.length / seconds, cpuMs: (cpuUs() - before) / 1_000 / texts.length };
  } finally {
    await embedder.close();
  }
}
