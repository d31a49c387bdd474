import { Worker } from 'node:worker_threads';
import { EmbedderUnavailable } from '../../domain/ports/embedder.ts';
import type { ThreadAnswer, ThreadRequest, ThreadSettings } from './embedding-thread.ts';

/** A thread with a loaded model. */
export interface ModelThread {
  /** Returns the vector of a text; texts wait in order. @throws EmbedderUnavailable if the thread fails or dies */
  embed(text: string): Promise<Float32Array<ArrayBuffer>>;
  /** True until the thread ends. */
  alive(): boolean;
  /** Frees the model and ends the thread; rejects pending calls. Never throws. */
  stop(): Promise<void>;
}

interface Waiting {
  readonly resolve: (vector: Float32Array<ArrayBuffer>) => void;
  readonly reject: (error: EmbedderUnavailable) => void;
}

/** Time for the thread to end by itself before it is terminated. */
const STOP_TIMEOUT_MS = 3_000;

/** Starts a thread and waits until the model is loaded. @throws EmbedderUnavailable */
export async function startModelThread(settings: ThreadSettings): Promise<ModelThread> {
  const worker = new Worker(new URL('embedding-thread.ts', import.meta.url), {
    name: 'embedding',
    workerData: settings,
    // The thread's own objects are small and short-lived: without a limit V8 reserves a young generation of 16 MB for them.
    resourceLimits: { maxYoungGenerationSizeMb: 4 },
  });
  const waiting = new Map<number, Waiting>();
  const exited = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  let alive = true;
  let nextId = 0;

  const end = (reason: string): void => {
    alive = false;
    const error = new EmbedderUnavailable(reason);
    started.reject(error);
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };

  worker.on('message', (answer: ThreadAnswer) => {
    if (answer.type === 'ready') {
      started.resolve();
      return;
    }
    const call = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.type === 'vector') call?.resolve(answer.vector);
    else call?.reject(new EmbedderUnavailable(`the embedding model failed: ${answer.message}`));
  });
  worker.on('error', (error) => end(`the embedding thread failed: ${String(error)}`));
  worker.on('exit', (code) => {
    end(`the embedding thread ended with code ${code}`);
    exited.resolve();
  });

  await started.promise;
  return {
    alive: () => alive,
    async embed(text) {
      if (!alive) throw new EmbedderUnavailable('the embedding thread has ended');
      const id = nextId;
      nextId += 1;
      const answer = Promise.withResolvers<Float32Array<ArrayBuffer>>();
      waiting.set(id, answer);
      worker.postMessage({ type: 'embed', id, text } satisfies ThreadRequest, []);
      return answer.promise;
    },
    async stop() {
      alive = false;
      worker.postMessage({ type: 'stop' } satisfies ThreadRequest, []);
      const timer = setTimeout(() => void worker.terminate(), STOP_TIMEOUT_MS);
      await exited.promise;
      clearTimeout(timer);
    },
  };
}
