import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Environment } from '../../config/process-environment.ts';
import { BGE_SMALL, BGE_SMALL_FILES } from '../../models/embedding/bge-small.ts';
import type { Finding } from './finding.ts';

/** Whether the embedding model is there. Without it the server runs and searches by keyword only. */
export function checkModelFiles(cacheDir: string, environment: Environment): Finding {
  const what = 'embedding model';
  const folder = environment['RECOLLECT_EMBEDDING_MODEL_DIR'] ?? path.join(cacheDir, 'models', BGE_SMALL.name);
  const missing = Object.values(BGE_SMALL_FILES).filter(({ name, bytes }) => {
    const file = path.join(folder, name);
    return !existsSync(file) || statSync(file).size !== bytes;
  });
  if (missing.length === 0) return { result: 'ok', what, text: folder };
  const names = missing.map((file) => file.name).join(' and ');
  return {
    result: 'warn',
    what,
    text: `no ${names} in ${folder}`,
    advice: 'The start tries to fetch it; until then search is by keyword only.',
  };
}
