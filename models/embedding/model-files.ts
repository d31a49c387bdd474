import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { EmbeddingPreset, ModelFile } from '../../domain/embedding-presets.ts';

/** Returns true if the file of a model directory has the pinned size and SHA-256. */
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

/** Returns the first file of a preset that is missing in a directory or has other content than the pinned one; null if all are genuine. */
export async function findWrongFile(directory: string, { files }: EmbeddingPreset): Promise<ModelFile | null> {
  for (const file of Object.values(files)) if (!(await isGenuine(directory, file))) return file;
  return null;
}
