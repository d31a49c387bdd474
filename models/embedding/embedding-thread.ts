import { Tokenizer } from '@huggingface/tokenizers';
import { readFile } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** Settings of the embedding thread. */
export interface ThreadSettings {
  /** Model files by preference; the first loadable one is used. */
  readonly modelPaths: readonly string[];
  readonly tokenizerPath: string;
  readonly intraOpThreads: number;
  /** Whether to copy the weights into the processor's multiplication order: a fifth faster, for 20 MB of private memory. */
  readonly packed: boolean;
  /** Limit of rows × longest row in one run of the model. */
  readonly maxBatchTokens: number;
  readonly windowTokens: number;
  readonly dimension: number;
}

export type ThreadRequest =
  | { readonly type: 'embed'; readonly id: number; readonly texts: readonly string[] }
  | { readonly type: 'stop' };

/** `vectors` has one row of `dimension` floats per text; its buffer is transferred. */
export type ThreadAnswer =
  | { readonly type: 'ready' }
  | { readonly type: 'vectors'; readonly id: number; readonly vectors: Float32Array<ArrayBuffer> }
  | { readonly type: 'failed'; readonly id: number; readonly message: string };

/** Longer texts are truncated before tokenising: 512 tokens of any language are shorter. */
const MAX_CHARACTERS = 16_384;

/** Loads the first loadable model file. */
async function openSession(settings: ThreadSettings): Promise<InferenceSession> {
  const failures: string[] = [];
  for (const path of settings.modelPaths) {
    try {
      return await InferenceSession.create(path, {
        intraOpNumThreads: settings.intraOpThreads,
        interOpNumThreads: 1,
        // The arena never releases the memory of its largest batch; plain allocations cost a few percent of speed.
        enableCpuMemArena: false,
        extra: { session: { disable_prepacking: settings.packed ? '0' : '1' } },
        logSeverityLevel: 3,
      });
    } catch (error) {
      failures.push(`${path}: ${String(error)}`);
    }
  }
  throw new Error(failures.join('; '));
}

/** Runs the model on rows of token ids and writes one normalised vector per row. */
async function embedRows(
  session: InferenceSession,
  rows: readonly (readonly number[])[],
  dimension: number,
): Promise<Float32Array<ArrayBuffer>[]> {
  const width = rows.reduce((longest, row) => Math.max(longest, row.length), 0);
  const ids = new BigInt64Array(rows.length * width);
  const mask = new BigInt64Array(rows.length * width);
  rows.forEach((row, r) => {
    row.forEach((id, column) => {
      ids[r * width + column] = BigInt(id);
      mask[r * width + column] = 1n;
    });
  });
  const shape = [rows.length, width];
  const output = await session.run({
    input_ids: new Tensor('int64', ids, shape),
    attention_mask: new Tensor('int64', mask, shape),
    token_type_ids: new Tensor('int64', new BigInt64Array(rows.length * width), shape),
  });
  const hidden = output['last_hidden_state'];
  if (!(hidden?.data instanceof Float32Array)) throw new Error('the model has no output last_hidden_state of floats');
  const states = hidden.data;
  // The vector of a text is the state of its first token, [CLS].
  const stride = states.length / rows.length;
  const vectors = rows.map((_, r) => normalised(states.subarray(r * stride, r * stride + dimension)));
  hidden.dispose();
  return vectors;
}

/** Returns a normalised copy, so that a dot product is the cosine. */
function normalised(state: Float32Array): Float32Array<ArrayBuffer> {
  const length = Math.hypot(...state);
  return Float32Array.from(state, (value) => value / (length === 0 ? 1 : length));
}

/** Returns the token ids of a text, with [CLS] first and [SEP] last, truncated to the window. */
function tokenRow(tokenizer: Tokenizer, text: string, windowTokens: number): readonly number[] {
  const ids = tokenizer.encode(text.slice(0, MAX_CHARACTERS)).ids;
  const separator = ids.at(-1);
  if (ids.length <= windowTokens || separator === undefined) return ids;
  return [...ids.slice(0, windowTokens - 1), separator];
}

/** Embeds the texts in runs of bounded size: the caller estimates from their length, this counts their tokens. */
async function embedTexts(
  session: InferenceSession,
  tokenizer: Tokenizer,
  settings: ThreadSettings,
  texts: readonly string[],
): Promise<Float32Array<ArrayBuffer>> {
  const { dimension, maxBatchTokens, windowTokens } = settings;
  const vectors = new Float32Array(texts.length * dimension);
  let written = 0;
  let rows: (readonly number[])[] = [];
  let width = 0;
  const flush = async (): Promise<void> => {
    if (rows.length === 0) return;
    for (const vector of await embedRows(session, rows, dimension)) {
      vectors.set(vector, written);
      written += dimension;
    }
    rows = [];
    width = 0;
  };
  for (const text of texts) {
    const row = tokenRow(tokenizer, text, windowTokens);
    if (Math.max(width, row.length) * (rows.length + 1) > maxBatchTokens) await flush();
    rows.push(row);
    width = Math.max(width, row.length);
  }
  await flush();
  return vectors;
}

async function serve(port: MessagePort, settings: ThreadSettings): Promise<void> {
  const tokenizer = new Tokenizer(JSON.parse(await readFile(settings.tokenizerPath, 'utf8')), {});
  const session = await openSession(settings);
  const answer = (message: ThreadAnswer): void => {
    port.postMessage(message, message.type === 'vectors' ? [message.vectors.buffer] : []);
  };
  const handle = async (request: ThreadRequest): Promise<void> => {
    if (request.type === 'stop') {
      await session.release();
      port.close();
      return;
    }
    try {
      const vectors = await embedTexts(session, tokenizer, settings, request.texts);
      answer({ type: 'vectors', id: request.id, vectors });
    } catch (error) {
      answer({ type: 'failed', id: request.id, message: String(error) });
    }
  };
  // One request at a time, in order: the model uses every core it may.
  let last: Promise<void> = Promise.resolve();
  port.on('message', (request: ThreadRequest) => {
    last = last.then(async () => handle(request));
  });
  answer({ type: 'ready' });
}

if (parentPort === null) throw new Error('this file runs as a worker thread');
await serve(parentPort, workerData);
