import { Tokenizer } from '@huggingface/tokenizers';
import { readFile } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** Settings of the reranking thread. */
export interface RerankThreadSettings {
  readonly modelPath: string;
  readonly tokenizerPath: string;
}

export interface RerankRequest {
  readonly id: number;
  readonly query: string;
  readonly texts: readonly string[];
  /** One Int32: set to 1 when the caller gives up; read between batches. */
  readonly cancelled: SharedArrayBuffer;
}

export type RerankAnswer =
  | { readonly type: 'ready' }
  | { readonly type: 'scores'; readonly id: number; readonly scores: readonly number[] }
  | { readonly type: 'failed'; readonly id: number; readonly message: string };

/** Context length of these cross-encoders in tokens: query and passage together. */
const WINDOW_TOKENS = 512;
/** Longer texts are truncated before tokenising. */
const MAX_CHARACTERS = 8_192;
/** Pairs per run: few, so that an abandoned call ends soon. */
const BATCH_PAIRS = 4;

interface PairRow {
  readonly ids: readonly number[];
  readonly types: readonly number[];
}

/** `[CLS] query [SEP] passage [SEP]`, with the passage truncated to the window. */
function pairRow(tokenizer: Tokenizer, query: string, text: string): PairRow {
  const encoded = tokenizer.encode(query.slice(0, MAX_CHARACTERS), {
    text_pair: text.slice(0, MAX_CHARACTERS),
    return_token_type_ids: true,
  });
  const cut = <Item>(row: readonly Item[]): readonly Item[] => {
    const last = row.at(-1);
    return row.length <= WINDOW_TOKENS || last === undefined ? row : [...row.slice(0, WINDOW_TOKENS - 1), last];
  };
  return { ids: cut(encoded.ids), types: cut(encoded.token_type_ids) };
}

function tensorOf(rows: readonly (readonly number[])[], width: number): Tensor {
  const flat = new BigInt64Array(rows.length * width);
  rows.forEach((row, r) => row.forEach((value, column) => (flat[r * width + column] = BigInt(value))));
  return new Tensor('int64', flat, [rows.length, width]);
}

const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));

/** Returns one score per pair, 0–1: the sigmoid of one logit, or the share of the second of two (a softmax of two is a sigmoid of their difference). */
async function scorePairs(session: InferenceSession, rows: readonly PairRow[]): Promise<number[]> {
  const width = rows.reduce((longest, { ids }) => Math.max(longest, ids.length), 0);
  const inputs = {
    input_ids: tensorOf(
      rows.map(({ ids }) => ids),
      width,
    ),
    attention_mask: tensorOf(
      rows.map(({ ids }) => ids.map(() => 1)),
      width,
    ),
    token_type_ids: tensorOf(
      rows.map(({ types }) => types),
      width,
    ),
  };
  // Some models have no token types.
  const known = Object.entries(inputs).filter(([name]) => session.inputNames.includes(name));
  const output = (await session.run(Object.fromEntries(known)))[session.outputNames[0] ?? ''];
  if (!(output?.data instanceof Float32Array)) throw new Error('the reranking model returns no floats');
  const logits = output.data;
  const perPair = logits.length / rows.length;
  if (perPair !== 1 && perPair !== 2)
    throw new Error(`the reranking model returns ${perPair} numbers per pair: it is not a cross-encoder`);
  const scores = rows.map((_, r) =>
    sigmoid(perPair === 1 ? (logits[r] ?? 0) : (logits[2 * r + 1] ?? 0) - (logits[2 * r] ?? 0)),
  );
  output.dispose();
  return scores;
}

async function serve(port: MessagePort, settings: RerankThreadSettings): Promise<void> {
  const tokenizer = new Tokenizer(JSON.parse(await readFile(settings.tokenizerPath, 'utf8')), {});
  const session = await InferenceSession.create(settings.modelPath, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    enableCpuMemArena: false,
    logSeverityLevel: 3,
  });
  const answer = (message: RerankAnswer): void => port.postMessage(message, []);
  const handle = async ({ id, query, texts, cancelled }: RerankRequest): Promise<void> => {
    const flag = new Int32Array(cancelled);
    try {
      const scores: number[] = [];
      for (let from = 0; from < texts.length && Atomics.load(flag, 0) === 0; from += BATCH_PAIRS) {
        const rows = texts.slice(from, from + BATCH_PAIRS).map((text) => pairRow(tokenizer, query, text));
        scores.push(...(await scorePairs(session, rows)));
      }
      answer({ type: 'scores', id, scores });
    } catch (error) {
      answer({ type: 'failed', id, message: String(error) });
    }
  };
  let last: Promise<void> = Promise.resolve();
  port.on('message', (request: RerankRequest) => {
    last = last.then(async () => handle(request));
  });
  answer({ type: 'ready' });
}

if (parentPort === null) throw new Error('this file runs as a worker thread');
await serve(parentPort, workerData);
