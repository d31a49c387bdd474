import { spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EmbedderUnavailable, type Embedder } from '../../../domain/ports/embedder.ts';
import { DEFAULT_PRESET, PRESETS } from '../../../domain/embedding-presets.ts';
import { processStartTime } from '../../../infra/supervisor/process-identity.ts';
import { createOnnxEmbedder, type OnnxEmbedderOptions } from '../../../models/embedding/onnx-embedder.ts';
import { untilTrue } from '../../setup/until.ts';
import { expectedVector, pinned, tinyPreset, writeTinyModel } from './tiny-model.ts';

let directory: string;
let embedders: Embedder[];
let processes: ChildProcess[];
/** Collects the started processes of the model, without those that write its mapped copy. */
const collect = (message: unknown): void => {
  const { process: child } = message as { readonly process: ChildProcess };
  queueMicrotask(() => {
    if (child.spawnargs.some((argument) => argument.endsWith('embedding-process.ts'))) processes.push(child);
  });
};

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'embedder-'));
  embedders = [];
  processes = [];
  subscribe('child_process', collect);
});
afterEach(async () => {
  unsubscribe('child_process', collect);
  await Promise.all(embedders.map(async (embedder) => embedder.close()));
  await rm(directory, { recursive: true, force: true });
});

function embedderWith(own: Partial<OnnxEmbedderOptions> = {}): Embedder {
  const embedder = createOnnxEmbedder({ preset: tinyPreset(), modelDir: directory, threads: 1, ...own });
  embedders.push(embedder);
  return embedder;
}

const cosine = (a: Float32Array | undefined, b: Float32Array): number =>
  (a ?? new Float32Array(0)).reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

/** Resolves when the process has ended, also when it had before. */
async function ended(child: ChildProcess | undefined): Promise<void> {
  if (child !== undefined && child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

describe('vectors', () => {
  test('are returned in the order of the texts, normalised, for any lengths', async () => {
    await writeTinyModel(directory);
    const embedder = embedderWith();
    const texts = Array.from(
      { length: 60 },
      (_, i) => ['alpha', 'beta beta', 'gamma delta '.repeat(i), 'zeta unknownword'][i % 4] ?? '',
    );
    const vectors = await embedder.embed(texts, 'passage');
    expect(vectors).toHaveLength(60);
    texts.forEach((text, i) => {
      expect(cosine(vectors[i], expectedVector(text))).toBeCloseTo(1, 5);
      expect(Math.hypot(...(vectors[i] ?? []))).toBeCloseTo(1, 5);
    });
    expect({ model: embedder.model, dimension: embedder.dimension }).toEqual({
      model: 'bge-small-en-v1.5-q',
      dimension: 384,
    });
  });

  test('a query has the model prefix, a passage has none', async () => {
    await writeTinyModel(directory);
    const embedder = embedderWith();
    const [query] = await embedder.embed(['alpha'], 'query');
    const [passage] = await embedder.embed(['alpha'], 'passage');
    expect(cosine(query, expectedVector(`${DEFAULT_PRESET.queryPrefix}alpha`))).toBeCloseTo(1, 5);
    expect(cosine(passage, expectedVector('alpha'))).toBeCloseTo(1, 5);
    expect(cosine(query, expectedVector('alpha'))).toBeLessThan(0.9);
  });

  test('are the state of the first token, or the mean of all, by preset', async () => {
    await writeTinyModel(directory, true);
    const mean = embedderWith({ preset: tinyPreset(PRESETS['all-MiniLM-L6-v2'], true) });
    const [vector] = await mean.embed(['alpha beta beta'], 'query');
    expect(cosine(vector, expectedVector('alpha beta beta'))).toBeCloseTo(1, 5);
    const first = embedderWith({ preset: tinyPreset(DEFAULT_PRESET, true) });
    const [one, other] = await first.embed(['alpha', 'beta gamma'], 'passage');
    expect(one).toEqual(other);
  });

  test('of a passage have the prefix that the preset has for passages', async () => {
    await writeTinyModel(directory);
    const [vector] = await embedderWith({ preset: tinyPreset(PRESETS['e5-small-v2']) }).embed(['alpha'], 'passage');
    expect(cosine(vector, expectedVector('passage: alpha'))).toBeCloseTo(1, 5);
    expect(cosine(vector, expectedVector('alpha'))).toBeLessThan(0.9);
  });

  test('a text beyond the window is cut, its last token still [SEP]', async () => {
    await writeTinyModel(directory);
    const text = `${'alpha '.repeat(509)}${'beta '.repeat(200)}`;
    const [vector] = await embedderWith().embed([text], 'passage');
    expect(cosine(vector, expectedVector(text))).toBeCloseTo(1, 6);
    expect(expectedVector(text)).toEqual(expectedVector(`${'alpha '.repeat(509)}beta`));
  });

  test('an empty text and no text at all', async () => {
    await writeTinyModel(directory);
    const embedder = embedderWith();
    const [vector] = await embedder.embed([''], 'passage');
    expect(cosine(vector, expectedVector(''))).toBeCloseTo(1, 5);
    expect(await embedder.embed([], 'passage')).toEqual([]);
  });

  test('of texts without spaces have every character as a token', async () => {
    await writeTinyModel(directory);
    const texts = Array.from({ length: 30 }, () => '中'.repeat(40));
    const vectors = await embedderWith().embed(texts, 'passage');
    expect(vectors).toHaveLength(30);
    expect(cosine(vectors[7], expectedVector('中 '.repeat(40)))).toBeCloseTo(1, 5);
  });

  test('do not depend on the other texts of the call', async () => {
    await writeTinyModel(directory);
    const embedder = embedderWith({ threads: 2 });
    const [alone] = await embedder.embed(['alpha beta'], 'passage');
    const among = await embedder.embed(['gamma '.repeat(300), 'alpha beta', 'delta'], 'passage');
    expect(among[1]).toEqual(alone);
  });
});

describe('order of service', () => {
  test('a query does not wait behind sentences, nor a sentence behind a long call for passages', async () => {
    await writeTinyModel(directory);
    const embedder = embedderWith();
    await embedder.ready();
    const done: string[] = [];
    const passages = embedder
      .embed(
        Array.from({ length: 300 }, () => 'alpha beta'),
        'passage',
      )
      .then(() => done.push('passages'));
    const sentences = embedder
      .embed(
        Array.from({ length: 30 }, () => 'alpha beta'),
        'sentence',
      )
      .then(() => done.push('sentences'));
    const query = embedder.embed(['alpha'], 'query').then(() => done.push('query'));
    await Promise.all([passages, sentences, query]);
    expect(done).toEqual(['query', 'sentences', 'passages']);
  });

  test('an abort ends a call between texts; others continue', async () => {
    await writeTinyModel(directory);
    const embedder = embedderWith();
    const controller = new AbortController();
    const reason = new Error('no longer needed');
    const long = embedder.embed(
      Array.from({ length: 300 }, () => 'alpha'),
      'passage',
      controller.signal,
    );
    const other = embedder.embed(['beta'], 'passage');
    controller.abort(reason);
    await expect(long).rejects.toBe(reason);
    expect(cosine((await other)[0], expectedVector('beta'))).toBeCloseTo(1, 5);
    await expect(embedder.embed(['x'], 'passage', AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  test('the texts of one call are shared by the processes; a single text starts one', async () => {
    await writeTinyModel(directory);
    const embedder = embedderWith({ threads: 2 });
    await embedder.embed(['alpha'], 'query');
    expect(processes).toHaveLength(1);
    const texts = Array.from({ length: 50 }, (_, i) => 'eta '.repeat(i));
    const vectors = await embedder.embed(texts, 'passage');
    // The first process may have served all texts while the second one was starting.
    await expect.poll(() => processes).toHaveLength(2);
    texts.forEach((text, i) => expect(cosine(vectors[i], expectedVector(text))).toBeCloseTo(1, 5));
  });

  test('many calls at once share one process', async () => {
    await writeTinyModel(directory);
    const embedder = embedderWith();
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, i) =>
        embedder.embed([`beta ${'eta '.repeat(i)}`], i % 2 === 0 ? 'passage' : 'query'),
      ),
    );
    expect(cosine(answers[4]?.[0], expectedVector(`beta ${'eta '.repeat(4)}`))).toBeCloseTo(1, 5);
    expect(processes).toHaveLength(1);
  });
});

describe('a missing model', () => {
  test('fails calls, and is loaded once the files appear', async () => {
    const embedder = embedderWith();
    expect(await embedder.ready()).toBe(false);
    await expect(embedder.embed(['alpha'], 'query')).rejects.toBeInstanceOf(EmbedderUnavailable);
    await writeTinyModel(directory);
    expect(await embedder.ready()).toBe(true);
    expect(await embedder.embed(['alpha'], 'query')).toHaveLength(1);
  });

  test('a file that is no model is unavailable, not a crash', async () => {
    await writeTinyModel(directory);
    const content = Buffer.from('not a model');
    const { files, ...preset } = tinyPreset();
    await writeFile(join(directory, files.model.name), content);
    const model = pinned(files.model.name, content);
    const embedder = embedderWith({ preset: { ...preset, files: { ...files, model } } });
    await expect(embedder.embed(['alpha'], 'passage')).rejects.toBeInstanceOf(EmbedderUnavailable);
    expect(await embedder.ready()).toBe(false);
  });

  test('a folder with the files of another model is refused, by file and setting, until they are replaced', async () => {
    await writeTinyModel(directory, true);
    const embedder = embedderWith();
    const { name, sha256 } = tinyPreset().files.model;
    const refused = embedder.embed(['alpha'], 'passage');
    await expect(refused).rejects.toBeInstanceOf(EmbedderUnavailable);
    await expect(refused).rejects.toThrow(
      `${join(directory, name)} is not the file of bge-small-en-v1.5-q; put the one with SHA-256 ${sha256} there, or correct RECOLLECT_EMBEDDING_PRESET`,
    );
    expect(await embedder.ready()).toBe(false);
    expect(processes).toEqual([]);
    await writeTinyModel(directory);
    await writeFile(join(directory, tinyPreset().files.tokenizer.name), '{}');
    await expect(embedder.embed(['alpha'], 'passage')).rejects.toThrow('tokenizer.json is not the file');
    await writeTinyModel(directory);
    const [vector] = await embedder.embed(['alpha'], 'passage');
    expect(cosine(vector, expectedVector('alpha'))).toBeCloseTo(1, 5);
  });

  test('a copy of the former model in the same folder is not used for the next one', async () => {
    await writeTinyModel(directory, true);
    const preset = tinyPreset(PRESETS['all-MiniLM-L6-v2'], true);
    await embedderWith({ preset }).embed(['alpha beta'], 'passage');
    await writeTinyModel(directory);
    const [vector] = await embedderWith({ preset: tinyPreset() }).embed(['alpha beta'], 'passage');
    expect(cosine(vector, expectedVector('alpha beta'))).toBeCloseTo(1, 5);
  });

  test('a process that dies fails its call; the next call has a new one', async () => {
    await writeTinyModel(directory);
    const embedder = embedderWith();
    await embedder.ready();
    const call = embedder.embed(
      Array.from({ length: 2_000 }, () => 'alpha'),
      'passage',
    );
    const failed = call.catch((error: unknown) => error);
    processes[0]?.kill('SIGKILL');
    expect(await failed).toBeInstanceOf(EmbedderUnavailable);
    expect(cosine((await embedder.embed(['beta'], 'passage'))[0], expectedVector('beta'))).toBeCloseTo(1, 5);
    expect(processes).toHaveLength(2);
  });

  test('a process ends with its parent, even if that is killed', async () => {
    await writeTinyModel(directory);
    const embedder = new URL('../../../models/embedding/onnx-embedder.ts', import.meta.url);
    const tiny = new URL('tiny-model.ts', import.meta.url);
    const script = `
      const { subscribe } = await import('node:diagnostics_channel');
      const { createOnnxEmbedder } = await import(${JSON.stringify(embedder)});
      const { tinyPreset } = await import(${JSON.stringify(tiny)});
      let last;
      subscribe('child_process', (message) => { last = message.process; });
      const embedder = createOnnxEmbedder({ preset: tinyPreset(), modelDir: ${JSON.stringify(directory)}, threads: 1 });
      await embedder.embed(['alpha'], 'query');
      process.stdout.write(String(last.pid), () => process.kill(process.pid, 'SIGKILL'));`;
    const { stdout, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(signal).toBe('SIGKILL');
    const pid = Number(stdout);
    expect(pid).toBeGreaterThan(0);
    await untilTrue(
      () => Promise.resolve(processStartTime(pid) === null),
      undefined,
      'the end of the embedding process',
    );
  });

  test('rejects pending and later calls after close', async () => {
    await writeTinyModel(directory);
    const embedder = embedderWith();
    const call = embedder.embed(
      Array.from({ length: 2_000 }, () => 'alpha'),
      'passage',
    );
    const refused = call.catch((error: unknown) => error);
    await embedder.close();
    expect(await refused).toBeInstanceOf(EmbedderUnavailable);
    await expect(embedder.embed(['alpha'], 'query')).rejects.toBeInstanceOf(EmbedderUnavailable);
    expect(await embedder.ready()).toBe(false);
    await Promise.all(processes.map(ended));
  });
});

describe('memory', () => {
  test('an idle model is freed, is still ready, and loads again', async () => {
    await writeTinyModel(directory);
    const embedder = embedderWith({ idleUnloadMs: 20 });
    await embedder.embed(['alpha'], 'passage');
    await ended(processes[0]);
    expect(await embedder.ready()).toBe(true);
    expect(processes).toHaveLength(1);
    expect(
      cosine((await embedder.embed(['beta'], 'query'))[0], expectedVector(`${DEFAULT_PRESET.queryPrefix}beta`)),
    ).toBeCloseTo(1, 5);
    expect(processes).toHaveLength(2);
  });

  test('reports an unloaded model without files as not ready', async () => {
    await writeTinyModel(directory);
    const embedder = embedderWith({ idleUnloadMs: 20 });
    await embedder.embed(['alpha'], 'passage');
    await ended(processes[0]);
    await rm(join(directory, DEFAULT_PRESET.files.model.name));
    expect(await embedder.ready()).toBe(false);
  });

  test('a mapped copy is written once, and a broken one is no obstacle', async () => {
    await writeTinyModel(directory);
    await embedderWith().embed(['alpha'], 'passage');
    const mapped = (await readdir(directory)).filter((name) => name.includes('mapped'));
    expect(mapped).toHaveLength(1);
    const copy = join(directory, mapped[0] ?? '');
    expect((await readdir(copy)).sort()).toEqual(['model.onnx', 'model.weights']);

    await writeFile(join(copy, 'model.weights'), '');
    await rm(join(copy, 'model.weights'));
    const [vector] = await embedderWith().embed(['alpha'], 'passage');
    expect(cosine(vector, expectedVector('alpha'))).toBeCloseTo(1, 5);
  });

  test('uses the original model if no copy can be written', async () => {
    await writeTinyModel(directory);
    const { default: runtime } = await import('onnxruntime-node/package.json', { with: { type: 'json' } });
    const digest = tinyPreset().files.model.sha256.slice(0, 12);
    await writeFile(join(directory, `mapped-${runtime.version}-${digest}`), 'in the way');
    const [vector] = await embedderWith().embed(['alpha'], 'passage');
    expect(cosine(vector, expectedVector('alpha'))).toBeCloseTo(1, 5);
    expect(await readdir(directory)).toHaveLength(3);
  });
});
