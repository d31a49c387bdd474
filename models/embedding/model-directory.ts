import { join } from 'node:path';
import { BGE_SMALL } from './bge-small.ts';

/** Returns the directory of the embedding model's files: the configured one, else one in the cache. */
export function embeddingModelDirectory(configured: string | undefined, cacheDir: string): string {
  return configured ?? join(cacheDir, 'models', BGE_SMALL.name);
}
