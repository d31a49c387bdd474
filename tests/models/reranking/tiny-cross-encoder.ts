import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RERANKER_FILES } from '../../../models/reranking/onnx-reranker.ts';
import { bytes, FLOAT, INT64, node, number, tensor, value } from '../embedding/onnx-file.ts';
import { tinyTokenizer } from '../tiny-tokenizer.ts';

/**
 * A cross-encoder made for the tests: its logit is the sum of a weight for each token of the pair. What was tokenised, cut, and fed as which
 * type of token shows in it; padding adds nothing.
 */
const WEIGHTS: Readonly<Record<string, number>> = {
  '[PAD]': 0,
  '[UNK]': 0,
  '[CLS]': 0,
  '[SEP]': 0,
  good: 2,
  bad: -2,
  question: 0.5,
};
const VOCABULARY = Object.keys(WEIGHTS);

/** Logit of a pair: its tokens' weights, once more those of the passage, whose tokens are of type one. */
function crossEncoder(outputs: 1 | 2): Buffer {
  const table = Buffer.from(Float32Array.from(VOCABULARY, (word) => WEIGHTS[word] ?? 0).buffer);
  const graph = Buffer.concat([
    bytes(1, node('Gather', ['table', 'input_ids'], 'weights')),
    bytes(1, node('Cast', ['token_type_ids'], 'types'), castTo(FLOAT)),
    bytes(1, node('Mul', ['weights', 'types'], 'passage')),
    bytes(1, node('ReduceSum', ['passage', 'axes'], 'logit')),
    ...(outputs === 1
      ? [bytes(1, node('Identity', ['logit'], 'logits'))]
      : [
          bytes(1, node('Neg', ['logit'], 'against')),
          bytes(
            1,
            node('Concat', ['against', 'logit'], 'logits'),
            bytes(5, bytes(1, 'axis'), number(3, 1), number(20, 2)),
          ),
        ]),
    bytes(2, 'tiny'),
    bytes(5, tensor('table', FLOAT, [VOCABULARY.length], table)),
    bytes(5, tensor('axes', INT64, [1], Buffer.from(BigInt64Array.of(1n).buffer))),
    ...['input_ids', 'token_type_ids'].map((name) => bytes(11, value(name, INT64, ['n', 'length']))),
    bytes(12, value('logits', FLOAT, ['n', 'width'])),
  ]);
  return Buffer.concat([number(1, 8), bytes(7, graph), bytes(8, bytes(1, ''), number(2, 13))]);
}

/** Cast's attribute for the target type. */
function castTo(type: number): Buffer {
  return bytes(5, bytes(1, 'to'), number(3, type), number(20, 2));
}

/** Puts the files of a tiny cross-encoder into a directory. */
export async function writeTinyCrossEncoder(directory: string, outputs: 1 | 2 = 1): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, RERANKER_FILES.tokenizer), JSON.stringify(tinyTokenizer(VOCABULARY)));
  await writeFile(join(directory, RERANKER_FILES.model), crossEncoder(outputs));
}
