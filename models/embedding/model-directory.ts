import { join } from 'node:path';
import { BGE_SMALL } from './bge-small.ts';

/** Where the files of the embedding model are, or will be: the directory that was configured, else one in the cache. */
export function embeddingModelDirectory(configured: string | undefined, cacheDir: string): string {
  return configured ?? join(cacheDir, 'models', BGE_SMALL.name);
}
