import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RERANKER_FILES } from '../../../models/reranking/onnx-reranker.ts';
import { bytes, FLOAT, INT64, node, number, tensor, value } from '../embedding/onnx-file.ts';

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

/** The attribute of Cast that says to what. */
function castTo(type: number): Buffer {
  return bytes(5, bytes(1, 'to'), number(3, type), number(20, 2));
}

const special = (id: string, type_id: number) => ({ SpecialToken: { id, type_id } });
const sequence = (id: string, type_id: number) => ({ Sequence: { id, type_id } });
const tokenizer = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: VOCABULARY.slice(0, 4).map((content, id) => ({
    id,
    content,
    special: true,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
  })),
  normalizer: {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0)],
    pair: [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0), sequence('B', 1), special('[SEP]', 1)],
    special_tokens: Object.fromEntries(
      ['[CLS]', '[SEP]'].map((name) => [name, { id: name, ids: [VOCABULARY.indexOf(name)], tokens: [name] }]),
    ),
  },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(VOCABULARY.map((word, id) => [word, id])),
  },
};

/** Puts the files of a tiny cross-encoder into a directory. */
export async function writeTinyCrossEncoder(directory: string, outputs: 1 | 2 = 1): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, RERANKER_FILES.tokenizer), JSON.stringify(tokenizer));
  await writeFile(join(directory, RERANKER_FILES.model), crossEncoder(outputs));
}
