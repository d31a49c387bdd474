import { join } from 'node:path';
import type { EmbeddingPreset } from '../../domain/embedding-presets.ts';

/** Returns the directory of a preset's files: the configured one, else one in the cache. */
export function embeddingModelDirectory(
  configured: string | undefined,
  cacheDir: string,
  preset: EmbeddingPreset,
): string {
  return configured ?? join(cacheDir, 'models', preset.name);
}
