import { Tokenizer } from '@huggingface/tokenizers';
import { readFile } from 'node:fs/promises';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { EmbeddingPreset } from '../../domain/embedding-presets.ts';

/** Settings of an embedding process. */
export interface ModelSettings {
  /** Model files by preference; the first loadable one is used. */
  readonly modelPaths: readonly string[];
  readonly tokenizerPath: string;
  readonly windowTokens: number;
  readonly dimension: number;
  readonly pooling: EmbeddingPreset['pooling'];
}

/** `load` comes first. */
export type ProcessRequest =
  | { readonly type: 'load'; readonly settings: ModelSettings }
  | { readonly type: 'embed'; readonly id: number; readonly text: string };

export type ProcessAnswer =
  | { readonly type: 'ready' }
  | { readonly type: 'unusable'; readonly message: string }
  | { readonly type: 'vector'; readonly id: number; readonly vector: Float32Array<ArrayBuffer> }
  | { readonly type: 'failed'; readonly id: number; readonly message: string };

/** Longer texts are truncated before tokenising: 512 tokens of any language are shorter. */
const MAX_CHARACTERS = 16_384;

/** Loads the first loadable model file. */
async function openSession(settings: ModelSettings): Promise<InferenceSession> {
  const failures: string[] = [];
  for (const path of settings.modelPaths) {
    try {
      return await InferenceSession.create(path, {
        // One core a text: two texts on one core each are embedded faster than one text on two cores.
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        // The arena never releases the memory of its longest text; plain allocations cost a few percent of speed.
        enableCpuMemArena: false,
        logSeverityLevel: 3,
      });
    } catch (error) {
      failures.push(`${path}: ${String(error)}`);
    }
  }
  throw new Error(failures.join('; '));
}

/**
 * Returns the normalised vector of one row of token ids. One row a run: 8-bit weights are fastest so, and quantised activations of a
 * batch would make a vector depend on its neighbours.
 */
async function embedRow(
  session: InferenceSession,
  row: readonly number[],
  { dimension, pooling }: ModelSettings,
): Promise<Float32Array<ArrayBuffer>> {
  const shape = [1, row.length];
  const output = await session.run({
    input_ids: new Tensor('int64', BigInt64Array.from(row, BigInt), shape),
    attention_mask: new Tensor('int64', new BigInt64Array(row.length).fill(1n), shape),
    token_type_ids: new Tensor('int64', new BigInt64Array(row.length), shape),
  });
  const hidden = output['last_hidden_state'];
  if (!(hidden?.data instanceof Float32Array)) throw new Error('the model has no output last_hidden_state of floats');
  const vector = normalised(pooling === 'first' ? hidden.data.subarray(0, dimension) : sumOf(hidden.data, dimension));
  hidden.dispose();
  return vector;
}

/** Returns the sum of the tokens' states: normalised, it equals their mean. A run has one text and no padding. */
function sumOf(states: Float32Array, dimension: number): Float32Array {
  const sum = new Float32Array(dimension);
  for (let at = 0; at < states.length; at += 1) sum[at % dimension] = (sum[at % dimension] ?? 0) + (states[at] ?? 0);
  return sum;
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

const answer = (message: ProcessAnswer): void => {
  process.send?.(message);
};

/** Loads the model; returns the function that answers one text. */
async function load(settings: ModelSettings): Promise<(id: number, text: string) => Promise<void>> {
  const tokenizer = new Tokenizer(JSON.parse(await readFile(settings.tokenizerPath, 'utf8')), {});
  const session = await openSession(settings);
  return async (id, text) => {
    try {
      const row = tokenRow(tokenizer, text, settings.windowTokens);
      answer({ type: 'vector', id, vector: await embedRow(session, row, settings) });
    } catch (error) {
      answer({ type: 'failed', id, message: String(error) });
    }
  };
}

let embed: (id: number, text: string) => Promise<void> = async () => {};

async function handle(request: ProcessRequest): Promise<void> {
  if (request.type === 'embed') {
    await embed(request.id, request.text);
    return;
  }
  try {
    embed = await load(request.settings);
    answer({ type: 'ready' });
  } catch (error) {
    answer({ type: 'unusable', message: String(error) });
    process.disconnect();
  }
}

// One request at a time, in order.
let last: Promise<void> = Promise.resolve();
process.on('message', (request: ProcessRequest) => {
  last = last.then(async () => handle(request));
});
// A stop signal reaches the whole group of the parent, which decides when it needs no more vectors.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.once('disconnect', () => process.exit());
