import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, inject, test } from 'vitest';
import { DEFAULT_PRESET, PRESET_NAMES, PRESETS } from '../../../domain/embedding-presets.ts';
import { ensureModelFiles, findModelFiles } from '../../../infra/bootstrap/model-files.ts';
import { createOnnxEmbedder } from '../../../models/embedding/onnx-embedder.ts';
import { PAIRS } from './pairs.ts';

const HUB_PATH = `/${DEFAULT_PRESET.hubRepository}/resolve/main`;

// The suite's set-up fetches the model where it can; a machine that reaches no source runs the other tests without it.
const files = await findModelFiles({ cacheDir: inject('cacheDir'), environment: {} });

test.runIf(files !== null)('the real model finds the passage that answers, and fixes the numbers', async () => {
  const embedder = createOnnxEmbedder({ preset: DEFAULT_PRESET, modelDir: files?.directory ?? '', threads: 2 });
  const passages = [
    'Weaviate hangs at the start unless CLUSTER_ADVERTISE_ADDR is set to the loopback address.',
    'The queue retried the webhook five times because the idempotency key was missing.',
    'We decided to store ids as UUIDv7 so that partitions follow time.',
  ];
  const [query = new Float32Array(0)] = await embedder.embed(['why were there duplicate webhook deliveries?'], 'query');
  const vectors = await embedder.embed(passages, 'passage');
  const scores = vectors.map((vector) => vector.reduce((sum, value, i) => sum + value * (query[i] ?? 0), 0));
  expect(scores.indexOf(Math.max(...scores))).toBe(1);
  expect(scores[1]).toBeGreaterThan(0.6);
  // A run has one text, so that the others of a call do not move its vector.
  expect(await embedder.embed([passages[1] ?? ''], 'passage')).toEqual([vectors[1]]);
  await embedder.close();
});

// The other presets are measured where their files are, too.
const found = await Promise.all(
  PRESET_NAMES.map(async (name) => {
    const of = await findModelFiles({
      cacheDir: inject('cacheDir'),
      environment: { RECOLLECT_EMBEDDING_PRESET: name },
    });
    return of === null ? [] : [[name, of.directory] as const];
  }),
);

test.each(found.flat())('%s finds the passage of each of 20 questions', async (name, modelDir) => {
  const embedder = createOnnxEmbedder({ preset: PRESETS[name], modelDir, threads: 2 });
  const questions = await embedder.embed(
    PAIRS.map(([question]) => question),
    'query',
  );
  const passages = await embedder.embed(
    PAIRS.map(([, passage]) => passage),
    'passage',
  );
  await embedder.close();
  const cosine = (one: Float32Array, other: Float32Array) =>
    one.reduce((sum, value, i) => sum + value * (other[i] ?? 0), 0);
  const nearest = questions.map((question) => {
    const cosines = passages.map((passage) => cosine(question, passage));
    return cosines.indexOf(Math.max(...cosines));
  });
  expect(nearest).toEqual(PAIRS.map((_, n) => n));
});

test.runIf(files !== null)('genuine files from a hub land in the cache and are found there', async () => {
  const root = await mkdtemp(path.join(tmpdir(), 'hub-'));
  const served = new Map([
    [`${HUB_PATH}/onnx/model_quantized.onnx`, files?.model ?? ''],
    [`${HUB_PATH}/tokenizer.json`, files?.tokenizer ?? ''],
  ]);
  const hub = createServer((request, response) => createReadStream(served.get(request.url ?? '') ?? '').pipe(response));
  await new Promise<void>((resolve) => {
    hub.listen(0, '127.0.0.1', resolve);
  });
  const address = hub.address();
  const hubUrl = typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
  const lines: string[] = [];
  const options = {
    cacheDir: root,
    environment: {},
    progress: (line: string) => lines.push(line),
    signal: new AbortController().signal,
  };
  const fetched = await ensureModelFiles({ ...options, hubUrl });
  expect(fetched?.directory.startsWith(root)).toBe(true);
  expect(lines.filter((line) => line.includes('34014426 bytes')).length).toBeGreaterThan(5);
  hub.closeAllConnections();
  hub.close();
  // The second call sends no request: the hub is closed.
  expect(await ensureModelFiles({ ...options, hubUrl })).toEqual(fetched);
  await rm(root, { recursive: true, force: true });
});
