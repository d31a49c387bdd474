import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DEFAULT_PRESET } from '../../../domain/embedding-presets.ts';
import type { EmbeddingPreset, ModelFile } from '../../../domain/embedding-presets.ts';
import { bytes, FLOAT, INT64, node, number, tensor, value } from './onnx-file.ts';
import { tinyTokenizer } from '../tiny-tokenizer.ts';

/**
 * A model made for the tests: its "hidden state" is the sum of one fixed random row a token, padding adds nothing. So a test can
 * work out the vector of any text, and what was tokenised, cut and prefixed shows in it.
 */

const WORDS = 'alpha beta gamma delta epsilon zeta eta theta represent this sentence for searching relevant passages :';
const VOCABULARY = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', ...WORDS.split(' ')];
const { dimension } = DEFAULT_PRESET;

function tableRow(id: number): Float32Array {
  if (id === 0) return new Float32Array(dimension);
  let state = id * 7_919;
  return Float32Array.from({ length: dimension }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return state / 0x4000_0000 - 1;
  });
}

/** Returns the tiny model's vector of a text of known words, prefix and window included. */
export function expectedVector(text: string, windowTokens: number = DEFAULT_PRESET.windowTokens): Float32Array {
  const words = text
    .toLowerCase()
    .replace(':', ' :')
    .split(/\s+/u)
    .filter((word) => word !== '');
  const ids = words.map((word) => Math.max(1, VOCABULARY.indexOf(word))).slice(0, windowTokens - 2);
  const sum = new Float32Array(dimension);
  for (const id of [2, ...ids, 3]) tableRow(id).forEach((value, i) => (sum[i] = (sum[i] ?? 0) + value));
  const length = Math.hypot(...sum);
  return sum.map((value) => value / length);
}

/** With `perToken` the hidden state has one row a token, as that of a real model; else one row, their sum. */
function tinyOnnx(perToken: boolean): Buffer {
  const table = Buffer.concat(VOCABULARY.map((_, id) => Buffer.from(tableRow(id).buffer)));
  const graph = Buffer.concat([
    ...(perToken
      ? [bytes(1, node('Gather', ['table', 'input_ids'], 'last_hidden_state'))]
      : [
          bytes(1, node('Gather', ['table', 'input_ids'], 'rows')),
          bytes(1, node('ReduceSum', ['rows', 'axes'], 'last_hidden_state')),
        ]),
    bytes(2, 'tiny'),
    bytes(5, tensor('table', FLOAT, [VOCABULARY.length, dimension], table)),
    bytes(5, tensor('axes', INT64, [1], Buffer.from(BigInt64Array.of(1n).buffer))),
    ...['input_ids', 'attention_mask', 'token_type_ids'].map((name) => bytes(11, value(name, INT64, ['n', 'length']))),
    bytes(12, value('last_hidden_state', FLOAT, ['n', 'one', 'width'])),
  ]);
  return Buffer.concat([number(1, 8), bytes(7, graph), bytes(8, bytes(1, ''), number(2, 13))]);
}

const { model, tokenizer } = DEFAULT_PRESET.files;
const TOKENIZER = Buffer.from(JSON.stringify(tinyTokenizer(VOCABULARY)));

/** Puts the tiny model's files into a directory, under the names of the real ones. */
export async function writeTinyModel(directory: string, perToken = false): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, model.name), tinyOnnx(perToken));
  await writeFile(join(directory, tokenizer.name), TOKENIZER);
}

/** Returns a file of a model directory as a preset pins it. */
export function pinned(name: string, content: Buffer): ModelFile {
  return { name, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
}

/** Returns a preset with the files of the tiny model in place of its own. */
export function tinyPreset(preset: EmbeddingPreset = DEFAULT_PRESET, perToken = false): EmbeddingPreset {
  return {
    ...preset,
    files: { model: pinned(model.name, tinyOnnx(perToken)), tokenizer: pinned(tokenizer.name, TOKENIZER) },
  };
}
