import { access, mkdtemp, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { refuseTelemetry } from '../../config/process-environment.ts';
import { EmbedderUnavailable } from '../../domain/ports/embedder.ts';
import type { Embedder, EmbeddingPurpose } from '../../domain/ports/embedder.ts';
import { BGE_SMALL, BGE_SMALL_FILES } from './bge-small.ts';
import { startModelThread } from './model-thread.ts';
import type { ModelThread } from './model-thread.ts';
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';

/** One running call of `embed`: its texts shortest first, cut into batches on demand, results in the order given. */
interface EmbeddingCall {
  readonly vectors: Promise<Float32Array[]>;
  /** True once it is completed, rejected or aborted. */
  settled(): boolean;
  /** Returns the next batch of texts; empty at the end. */
  takeBatch(maxBatchTokens: number): readonly string[];
  /** Accepts the concatenated vectors of the last batch. */
  accept(vectors: Float32Array<ArrayBuffer>): void;
  fail(error: unknown): void;
}

/** English has 4 to 5 characters per token; the thread counts, and splits batches of denser texts. */
const CHARACTERS_PER_TOKEN = 4;

interface CallOptions {
  readonly texts: readonly string[];
  readonly prefix: string;
  readonly dimension: number;
  readonly windowTokens: number;
  readonly signal: AbortSignal | undefined;
}

/** Batches texts of similar length, because a batch costs its longest text times their number. */
function createEmbeddingCall(options: CallOptions): EmbeddingCall {
  const { texts, prefix, dimension, windowTokens, signal } = options;
  const lengthOf = (index: number): number => texts[index]?.length ?? 0;
  const order = texts.map((_, index) => index).sort((a, b) => lengthOf(a) - lengthOf(b));
  const outcome = Promise.withResolvers<Float32Array[]>();
  const results: Float32Array[] = texts.map(() => new Float32Array(0));
  let taken = 0;
  let answered = 0;
  let settled = false;

  const settle = (): void => {
    settled = true;
    signal?.removeEventListener('abort', abort);
  };
  const fail = (error: unknown): void => {
    settle();
    outcome.reject(error);
  };
  const abort = (): void => fail(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });

  const guessTokens = (index: number): number =>
    Math.min(windowTokens, Math.ceil((lengthOf(index) + prefix.length) / CHARACTERS_PER_TOKEN) + 2);

  return {
    vectors: outcome.promise,
    settled: () => settled,
    takeBatch(maxBatchTokens) {
      const first = taken;
      // Sorted, so the last one is the widest.
      for (const index of order.slice(first)) {
        if (taken > first && guessTokens(index) * (taken - first + 1) > maxBatchTokens) break;
        taken += 1;
      }
      return order.slice(first, taken).map((index) => prefix + (texts[index] ?? ''));
    },
    accept(vectors) {
      if (settled) return;
      for (let at = 0; at < vectors.length; at += dimension) {
        const index = order[answered];
        if (index !== undefined) results[index] = vectors.subarray(at, at + dimension);
        answered += 1;
      }
      if (answered < texts.length) return;
      settle();
      outcome.resolve(results);
    },
    fail,
  };
}

/**
 * A copy of the model written by ONNX Runtime, beside the original: an optimised graph with the weights in a separate file. Such weights
 * are memory-mapped instead of read: 45 MB less private memory per process, and processes share the rest.
 */
const WRITER = fileURLToPath(new URL('write-mapped-model.ts', import.meta.url));
const WRITE_TIMEOUT_MS = 60_000;

const packageFile = z.object({ version: z.string() });

/** The copy depends on the release that wrote it. */
function runtimeVersion(): string {
  return packageFile.parse(createRequire(import.meta.url)('onnxruntime-node/package.json')).version;
}

/** Flushes files: a crash must not leave a complete-looking directory with an empty file. */
async function flushFiles(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const file = await open(join(directory, name), 'r+');
    await file.sync();
    await file.close();
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * Returns the path of the mapped copy of `modelPath`, and writes it first if missing (half a second, in a child process, because ONNX
 * Runtime does not release the memory). Null if it cannot be written, e.g. in a read-only directory.
 */
async function mappedModelOf(modelDir: string, modelPath: string): Promise<string | null> {
  const target = join(modelDir, `mapped-${runtimeVersion()}`);
  const path = join(target, 'model.onnx');
  if (await exists(path)) return path;
  let temporary: string | undefined;
  try {
    temporary = await mkdtemp(join(modelDir, '.mapped-'));
    await promisify(execFile)(process.execPath, [WRITER, modelPath, join(temporary, 'model.onnx')], {
      timeout: WRITE_TIMEOUT_MS,
    });
    await flushFiles(temporary);
    await rename(temporary, target);
    return path;
  } catch {
    // Not writable, or another process was first: the original works as well, with more memory.
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
    return (await exists(path)) ? path : null;
  }
}

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
