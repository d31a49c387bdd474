import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { MODULE_EXTENSION } from '../../config/module-files.ts';
import { EmbedderUnavailable } from '../../domain/ports/embedder.ts';
import type { ModelSettings, ProcessAnswer, ProcessRequest } from './embedding-process.ts';

/** A process with a loaded model. */
export interface ModelProcess {
  /** Returns the vector of a text; texts wait in order. @throws EmbedderUnavailable if the process fails or dies */
  embed(text: string): Promise<Float32Array<ArrayBuffer>>;
  /** True until the process ends. */
  alive(): boolean;
  /** Ends the process, and thus frees the model; rejects pending calls. Never throws. */
  stop(): Promise<void>;
}

interface Waiting {
  readonly resolve: (vector: Float32Array<ArrayBuffer>) => void;
  readonly reject: (error: EmbedderUnavailable) => void;
}

const ENTRY = fileURLToPath(new URL(`embedding-process${MODULE_EXTENSION}`, import.meta.url));

/**
 * Starts a process and waits until the model is loaded. A process and not a thread: the C allocator returns the memory of the model and of its texts only
 * at the end of a process, and a crash of ONNX Runtime, such as when it is ended during a text, remains in it. @throws EmbedderUnavailable
 */
export async function startModelProcess(settings: ModelSettings): Promise<ModelProcess> {
  const child = fork(ENTRY, [], {
    serialization: 'advanced',
    // Its own objects are small and short-lived.
    execArgv: ['--max-semi-space-size=2'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
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
  const send = (request: ProcessRequest): void => {
    // A failure to send is followed by the exit or the error, which rejects what waits.
    child.send(request, () => undefined);
  };

  child.on('message', (answer: ProcessAnswer) => {
    if (answer.type === 'ready') {
      started.resolve();
      return;
    }
    if (answer.type === 'unusable') {
      end(`the embedding model cannot be loaded: ${answer.message}`);
      return;
    }
    const call = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.type === 'vector') call?.resolve(answer.vector);
    else call?.reject(new EmbedderUnavailable(`the embedding model failed: ${answer.message}`));
  });
  child.on('error', (error) => {
    end(`the embedding process failed: ${error.message}`);
    if (child.pid === undefined) exited.resolve();
  });
  child.on('exit', (code, signal) => {
    end(`the embedding process ended with ${code ?? signal}`);
    exited.resolve();
  });
  send({ type: 'load', settings });

  await started.promise;
  return {
    alive: () => alive,
    async embed(text) {
      if (!alive) throw new EmbedderUnavailable('the embedding process has ended');
      const id = nextId;
      nextId += 1;
      const answer = Promise.withResolvers<Float32Array<ArrayBuffer>>();
      waiting.set(id, answer);
      send({ type: 'embed', id, text });
      return answer.promise;
    },
    async stop() {
      // It has nothing to finish.
      child.kill('SIGKILL');
      await exited.promise;
    },
  };
}
