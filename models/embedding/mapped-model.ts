import { execFile } from 'node:child_process';
import { access, mkdtemp, open, readdir, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { MODULE_EXTENSION } from '../../config/module-files.ts';
import type { ModelFile } from '../../domain/embedding-presets.ts';

/**
 * A copy of the model written by ONNX Runtime, beside the original: an optimised graph with the weights in a separate file. Such weights
 * are memory-mapped instead of read: 45 MB less private memory per process, and processes share the rest.
 */
const WRITER = fileURLToPath(new URL(`write-mapped-model${MODULE_EXTENSION}`, import.meta.url));
const WRITE_TIMEOUT_MS = 60_000;

const packageFile = z.object({ version: z.string() });

/** The copy depends on the release that wrote it. */
function runtimeVersion(): string {
  return packageFile.parse(createRequire(import.meta.url)('onnxruntime-node/package.json')).version;
}

/** Flushes files: a crash must not leave a complete-looking directory with an empty file. */
async function flushFiles(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const file = await open(join(directory, name), 'r+');
    await file.sync();
    await file.close();
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * Returns the path of the mapped copy of a verified model file, and writes it first if missing (half a second, in a child process, because ONNX
 * Runtime does not release the memory). Null if it cannot be written, e.g. in a read-only directory. Its name has the digest of the model, so that
 * a folder with the files of another model has a copy of its own.
 */
export async function mappedModelOf(modelDir: string, { name, sha256 }: ModelFile): Promise<string | null> {
  const target = join(modelDir, `mapped-${runtimeVersion()}-${sha256.slice(0, 12)}`);
  const path = join(target, 'model.onnx');
  if (await exists(path)) return path;
  let temporary: string | undefined;
  try {
    temporary = await mkdtemp(join(modelDir, '.mapped-'));
    await promisify(execFile)(process.execPath, [WRITER, join(modelDir, name), join(temporary, 'model.onnx')], {
      timeout: WRITE_TIMEOUT_MS,
    });
    await flushFiles(temporary);
    await rename(temporary, target);
    return path;
  } catch {
    // Not writable, or another process was first: the original works as well, with more memory.
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
    return (await exists(path)) ? path : null;
  }
}
