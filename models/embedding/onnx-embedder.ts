import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { refuseTelemetry } from '../../config/process-environment.ts';
import { likenessOf } from '../../domain/embedding-presets.ts';
import type { EmbeddingPreset } from '../../domain/embedding-presets.ts';
import { EmbedderUnavailable } from '../../domain/ports/embedder.ts';
import type { Embedder, EmbeddingPurpose } from '../../domain/ports/embedder.ts';
import { createEmbeddingCall } from './embedding-call.ts';
import type { EmbeddingCall } from './embedding-call.ts';
import { mappedModelOf } from './mapped-model.ts';
import { findWrongFile } from './model-files.ts';
import { startModelProcess } from './model-process.ts';
import type { ModelProcess } from './model-process.ts';

export interface OnnxEmbedderOptions {
  readonly preset: EmbeddingPreset;
  /** Directory of the preset's files, possibly still missing or other ones: checked again by every call until they were genuine once. */
  readonly modelDir: string;
  /** Threads of the model, each in a process of its own with one text at a time. Those beyond the first are started when there are texts for them. */
  readonly threads: number;
  /** Unloads the model after this time without a call; the next one reloads it (0.3 s). Undefined: never. */
  readonly idleUnloadMs?: number;
}

/** Texts sent to a process: the next one waits there, so that a busy event loop does not delay the model. */
const TEXTS_AHEAD = 2;

/** An embedder over local ONNX files in processes of its own. Serves calls text by text: queries, then sentences, then passages. */
export function createOnnxEmbedder(options: OnnxEmbedderOptions): Embedder {
  refuseTelemetry();
  const { preset, modelDir, idleUnloadMs } = options;
  const modelPath = join(modelDir, preset.files.model.name);
  const tokenizerPath = join(modelDir, preset.files.tokenizer.name);
  const queues: Record<EmbeddingPurpose, EmbeddingCall[]> = { query: [], sentence: [], passage: [] };
  const open = new Set<EmbeddingCall>();
  const processes: (Promise<ModelProcess> | undefined)[] = Array.from({ length: options.threads }, () => undefined);
  /** Places of all processes, the first of each process first; true while one is served. */
  const places = Array.from({ length: options.threads * TEXTS_AHEAD }, () => false);
  let idleTimer: NodeJS.Timeout | undefined;
  let unloadedIdle = false;
  let verified = false;
  let closed = false;

  const requireFiles = async (): Promise<void> => {
    try {
      await Promise.all([access(modelPath), access(tokenizerPath)]);
    } catch (cause) {
      throw new EmbedderUnavailable(`no embedding model in ${modelDir}`, { cause });
    }
  };
  /** Files of all presets have the same names and dimensions: vectors of another model would be written under the name of this one. */
  const requireGenuineFiles = async (): Promise<void> => {
    const wrong = await findWrongFile(modelDir, preset);
    if (wrong === null) return;
    throw new EmbedderUnavailable(
      `${join(modelDir, wrong.name)} is not the file of ${preset.name}; put the one with SHA-256 ${wrong.sha256} there, or correct RECOLLECT_EMBEDDING_PRESET or RECOLLECT_EMBEDDING_MODEL_DIR`,
    );
  };

  const start = async (): Promise<ModelProcess> => {
    await requireFiles();
    if (!verified) await requireGenuineFiles();
    verified = true;
    const mapped = await mappedModelOf(modelDir, preset.files.model);
    return startModelProcess({
      modelPaths: mapped === null ? [modelPath] : [mapped, modelPath],
      tokenizerPath,
      windowTokens: preset.windowTokens,
      dimension: preset.dimension,
      pooling: preset.pooling,
    });
  };

  /** Returns the running process of this number, or starts one if there is none or it died. */
  const runningProcess = async (number: number): Promise<ModelProcess> => {
    if (closed) throw new EmbedderUnavailable('the embedder is closed');
    const starting = processes[number] ?? start();
    processes[number] = starting;
    unloadedIdle = false;
    try {
      const running = await starting;
      if (running.alive()) return running;
    } catch (error) {
      if (processes[number] === starting) processes[number] = undefined;
      throw error;
    }
    if (processes[number] === starting) processes[number] = undefined;
    return runningProcess(number);
  };

  const unload = async (): Promise<void> => {
    clearTimeout(idleTimer);
    const running = processes.splice(0, processes.length, ...processes.map(() => undefined));
    // A process that never started has nothing to free; its callers got the error.
    await Promise.all(
      running
        .filter((starting) => starting !== undefined)
        .map((starting) =>
          starting.then(
            (model) => model.stop(),
            () => undefined,
          ),
        ),
    );
  };

  /** The first call of the highest purpose that has texts left. */
  const nextCall = (): EmbeddingCall | undefined => {
    for (const queue of [queues.query, queues.sentence, queues.passage]) {
      while (queue[0]?.hasTexts() === false) queue.shift();
      if (queue[0] !== undefined) return queue[0];
    }
    return undefined;
  };

  /** Sends one text after another to a process until none is left. */
  const serve = async (place: number): Promise<void> => {
    if (places[place] === true) return;
    places[place] = true;
    clearTimeout(idleTimer);
    for (let call = nextCall(); call !== undefined; call = nextCall()) {
      try {
        const running = await runningProcess(place % options.threads);
        // Loading takes a while: a query may have arrived since, or this call may have been aborted.
        call = nextCall();
        const task = call?.take();
        if (task !== undefined) task.accept(await running.embed(task.text));
      } catch (error) {
        call?.fail(error);
      }
    }
    places[place] = false;
    if (idleUnloadMs !== undefined && !closed && !places.includes(true)) {
      idleTimer = setTimeout(() => {
        unloadedIdle = processes.some((starting) => starting !== undefined);
        void unload();
      }, idleUnloadMs).unref();
    }
  };

  return {
    model: preset.name,
    dimension: preset.dimension,
    async embed(texts, purpose, signal) {
      signal?.throwIfAborted();
      if (texts.length === 0) return [];
      const call = createEmbeddingCall(texts, purpose === 'query' ? preset.queryPrefix : preset.passagePrefix, signal);
      queues[purpose].push(call);
      open.add(call);
      const idle = places.flatMap((isServed, place) => (isServed ? [] : [place]));
      for (const place of idle.slice(0, texts.length)) void serve(place);
      return call.vectors.finally(() => open.delete(call));
    },
    likeness: (cosine) => likenessOf(preset, cosine),
    calibration: preset.calibration,
    async ready() {
      try {
        // An unloaded idle model is not reloaded just for this check.
        if (unloadedIdle) await requireFiles();
        else {
          await runningProcess(0);
          void serve(0);
        }
        return true;
      } catch {
        // Callers of embed get the reason.
        return false;
      }
    },
    async close() {
      closed = true;
      for (const call of open) call.fail(new EmbedderUnavailable('the embedder was closed'));
      await unload();
    },
  };
}
