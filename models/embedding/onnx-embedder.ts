import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { refuseTelemetry } from '../../config/process-environment.ts';
import { EmbedderUnavailable, type Embedder, type EmbeddingPurpose } from '../../domain/ports/embedder.ts';
import { BGE_SMALL, BGE_SMALL_FILES } from './bge-small.ts';
import { createEmbeddingCall, type EmbeddingCall } from './embedding-call.ts';
import { mappedModelOf } from './mapped-model.ts';
import { startModelThread, type ModelThread } from './model-thread.ts';

export interface OnnxEmbedderOptions {
  /** Directory of the BGE_SMALL_FILES, possibly still missing: checked again by every call without a loaded model. */
  readonly modelDir: string;
  /** Threads of one run of the model. */
  readonly threads: number;
  /** Limit of texts × longest text in one run: limits its memory, and a query's wait behind passages. */
  readonly maxBatchTokens: number;
  /** Packs the weights: queries wait for the model, and it is unloaded when idle; for passages, memory matters more. */
  readonly packed?: boolean;
  /** Unloads the model after this time without a call; the next one reloads it (0.2 s). Undefined: never. */
  readonly idleUnloadMs?: number;
}

/** An embedder over local ONNX files in a separate thread. Serves calls batch by batch: queries, then sentences, then passages. */
export function createOnnxEmbedder(options: OnnxEmbedderOptions): Embedder {
  refuseTelemetry();
  const { modelDir, maxBatchTokens, idleUnloadMs } = options;
  const modelPath = join(modelDir, BGE_SMALL_FILES.model.name);
  const tokenizerPath = join(modelDir, BGE_SMALL_FILES.tokenizer.name);
  const queues: Record<EmbeddingPurpose, EmbeddingCall[]> = { query: [], sentence: [], passage: [] };
  let thread: Promise<ModelThread> | undefined;
  let idleTimer: NodeJS.Timeout | undefined;
  let serving = false;
  let unloadedIdle = false;
  let closed = false;

  const requireFiles = async (): Promise<void> => {
    try {
      await Promise.all([access(modelPath), access(tokenizerPath)]);
    } catch (cause) {
      throw new EmbedderUnavailable(`no embedding model in ${modelDir}`, { cause });
    }
  };

  const start = async (): Promise<ModelThread> => {
    await requireFiles();
    const mapped = await mappedModelOf(modelDir, modelPath);
    return startModelThread({
      modelPaths: mapped === null ? [modelPath] : [mapped, modelPath],
      tokenizerPath,
      intraOpThreads: options.threads,
      packed: options.packed ?? false,
      maxBatchTokens,
      windowTokens: BGE_SMALL.windowTokens,
      dimension: BGE_SMALL.dimension,
    });
  };

  /** Returns the running thread, or starts one if there is none or it died. */
  const runningThread = async (): Promise<ModelThread> => {
    if (closed) throw new EmbedderUnavailable('the embedder is closed');
    const starting = thread ?? start();
    thread = starting;
    unloadedIdle = false;
    try {
      const running = await starting;
      if (running.alive()) return running;
    } catch (error) {
      if (thread === starting) thread = undefined;
      throw error;
    }
    if (thread === starting) thread = undefined;
    return runningThread();
  };

  const unload = async (): Promise<void> => {
    clearTimeout(idleTimer);
    const running = thread;
    thread = undefined;
    // A thread that never started has nothing to free; its callers got the error.
    await running?.then(
      async (model) => model.stop(),
      () => undefined,
    );
  };

  const nextCall = (): EmbeddingCall | undefined => {
    for (const queue of [queues.query, queues.sentence, queues.passage]) {
      while (queue[0]?.settled() === true) queue.shift();
      if (queue[0] !== undefined) return queue[0];
    }
    return undefined;
  };

  /** Processes batches until none is pending. Only one instance runs at a time. */
  const serve = async (): Promise<void> => {
    if (serving) return;
    serving = true;
    clearTimeout(idleTimer);
    for (let call = nextCall(); call !== undefined; call = nextCall()) {
      try {
        const running = await runningThread();
        // Loading takes a while: a query may have arrived since, or this call may have been aborted.
        call = nextCall();
        if (call !== undefined) call.accept(await running.embed(call.takeBatch(maxBatchTokens)));
      } catch (error) {
        call?.fail(error);
      }
    }
    serving = false;
    if (idleUnloadMs !== undefined && !closed) {
      idleTimer = setTimeout(() => {
        unloadedIdle = thread !== undefined;
        void unload();
      }, idleUnloadMs).unref();
    }
  };

  return {
    model: BGE_SMALL.name,
    dimension: BGE_SMALL.dimension,
    async embed(texts, purpose, signal) {
      signal?.throwIfAborted();
      if (texts.length === 0) return [];
      const call = createEmbeddingCall({
        texts,
        prefix: purpose === 'query' ? BGE_SMALL.queryPrefix : '',
        dimension: BGE_SMALL.dimension,
        windowTokens: BGE_SMALL.windowTokens,
        signal,
      });
      queues[purpose].push(call);
      void serve();
      return call.vectors;
    },
    async ready() {
      try {
        // An unloaded idle model is not reloaded just for this check.
        if (unloadedIdle) await requireFiles();
        else {
          await runningThread();
          void serve();
        }
        return true;
      } catch {
        // Callers of embed get the reason.
        return false;
      }
    },
    async close() {
      closed = true;
      for (const call of Object.values(queues).flat()) {
        if (!call.settled()) call.fail(new EmbedderUnavailable('the embedder was closed'));
      }
      await unload();
    },
  };
}
