import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { MODULE_EXTENSION } from '../../config/module-files.ts';
import { refuseTelemetry } from '../../config/process-environment.ts';
import { RerankerUnavailable, type Reranker } from '../../domain/ports/embedder.ts';
import type { RerankAnswer, RerankRequest, RerankThreadSettings } from './reranking-thread.ts';

export const RERANKER_FILES = { model: 'model.onnx', tokenizer: 'tokenizer.json' } as const;

export interface OnnxRerankerOptions {
  /** Directory of the files, possibly still missing: checked again by every call without a loaded model. */
  readonly modelDir: string;
}

interface Waiting {
  readonly resolve: (scores: readonly number[]) => void;
  readonly reject: (error: RerankerUnavailable) => void;
}

interface RerankThread {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
  readonly ready: Promise<void>;
}

/** Starts the thread; when it ends, rejects pending calls and calls `onEnd`. */
function startThread(settings: RerankThreadSettings, onEnd: () => void): RerankThread {
  const worker = new Worker(new URL(`reranking-thread${MODULE_EXTENSION}`, import.meta.url), {
    name: 'reranking',
    workerData: settings,
    resourceLimits: { maxYoungGenerationSizeMb: 4 },
  });
  const waiting = new Map<number, Waiting>();
  const ready = Promise.withResolvers<void>();
  const end = (reason: string): void => {
    onEnd();
    const error = new RerankerUnavailable(reason);
    ready.reject(error);
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  worker.on('message', (answer: RerankAnswer) => {
    if (answer.type === 'ready') {
      ready.resolve();
      return;
    }
    const call = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.type === 'scores') call?.resolve(answer.scores);
    else call?.reject(new RerankerUnavailable(`the reranking model failed: ${answer.message}`));
  });
  worker.on('error', (error) => end(`the reranking thread failed: ${String(error)}`));
  worker.on('exit', (code) => end(`the reranking thread ended with code ${code}`));
  // The thread does not prevent the process from exiting.
  worker.unref();
  return { worker, waiting, ready: ready.promise };
}

/**
 * A reranker over a local ONNX cross-encoder in a separate thread. The first call loads the model; if the load outlasts the call, it
 * continues for later calls.
 */
export function createOnnxReranker({ modelDir }: OnnxRerankerOptions): Reranker {
  refuseTelemetry();
  const modelPath = join(modelDir, RERANKER_FILES.model);
  const tokenizerPath = join(modelDir, RERANKER_FILES.tokenizer);
  let thread: Promise<RerankThread> | undefined;
  let nextId = 0;
  let closed = false;

  const start = async (): Promise<RerankThread> => {
    try {
      await Promise.all([access(modelPath), access(tokenizerPath)]);
    } catch (cause) {
      throw new RerankerUnavailable(`no reranking model in ${modelDir}`, { cause });
    }
    const started = startThread({ modelPath, tokenizerPath }, () => {
      thread = undefined;
    });
    await started.ready;
    return started;
  };

  const running = async (): Promise<RerankThread> => {
    if (closed) throw new RerankerUnavailable('the reranker is closed');
    const starting = thread ?? start();
    thread = starting;
    try {
      return await starting;
    } catch (error) {
      if (thread === starting) thread = undefined;
      throw error;
    }
  };

  return {
    async score(query, texts, signal) {
      if (texts.length === 0) return [];
      const late = Promise.withResolvers<never>();
      const cancelled = new SharedArrayBuffer(4);
      const abort = (): void => {
        Atomics.store(new Int32Array(cancelled), 0, 1);
        late.reject(new RerankerUnavailable('the reranking model took too long'));
      };
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort, { once: true });
      const work = async (): Promise<readonly number[]> => {
        const { worker, waiting } = await running();
        const id = nextId;
        nextId += 1;
        const answer = Promise.withResolvers<readonly number[]>();
        waiting.set(id, answer);
        worker.postMessage({ id, query, texts, cancelled } satisfies RerankRequest, []);
        return answer.promise;
      };
      const working = work();
      try {
        return await Promise.race([working, late.promise]);
      } finally {
        signal.removeEventListener('abort', abort);
        // A caller that gave up ignores the other promise's outcome.
        working.catch(() => undefined);
        late.promise.catch(() => undefined);
      }
    },
    async close() {
      closed = true;
      // A thread that never started has nothing to free; its callers got the error.
      await thread?.then(
        async ({ worker }) => worker.terminate(),
        () => undefined,
      );
    },
  };
}
