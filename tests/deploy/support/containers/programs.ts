import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { processEnvironment } from '../../../../config/process-environment.ts';
import { ensureModelFiles } from '../../../../infra/bootstrap/model-files.ts';
import { TEMPORAL, WEAVIATE } from '../../../../infra/engines/pinned.ts';
import { resolveEngines } from '../../../../infra/engines/resolve.ts';
import { cacheDirectory } from '../../../../infra/instance/layout.ts';
import { silentProgress } from '../../../../infra/supervisor/progress.ts';
import { programPath } from '../../../viewer/journeys/support/programs.ts';
import type { Programs } from './places.ts';

const COMMAND = path.resolve(import.meta.dirname, '../../../../cli/bin.mjs');
/** Programs of images that the machine must have, and the Debian packages with them. */
const NEEDED = { psql: 'postgresql-client', pg_isready: 'postgresql-client', wget: 'wget', curl: 'curl' };

/**
 * Creates a folder with the programs that images have: engines of the pinned versions, Node, `recollect` of the sources, nginx. Returns it with the
 * paths that differ here. @throws Error with the remedy if a program is missing
 */
export async function linkPrograms(folder: string): Promise<Programs> {
  for (const [name, debian] of Object.entries(NEEDED))
    programPath([name], `${name} is missing: install it with "apt-get install ${debian}"`);
  const nginx = programPath(['nginx'], 'nginx is missing: install it with "apt-get install nginx-light"');
  const environment = processEnvironment();
  const cacheDir = cacheDirectory(environment);
  const { signal } = new AbortController();
  const options = { cacheDir, environment, progress: silentProgress, signal };
  const engines = await resolveEngines([TEMPORAL, WEAVIATE], options);
  const model = await ensureModelFiles({ ...options, progress: () => {} });
  if (model === null) throw new Error('the files of the embedding model cannot be downloaded here');
  mkdirSync(folder, { recursive: true });
  const script = (name: string, call: string): void =>
    writeFileSync(path.join(folder, name), `#!/bin/sh\nexec ${call} "$@"\n`, { mode: 0o755 });
  for (const [name, { file }] of engines) symlinkSync(file, path.join(folder, name));
  symlinkSync(process.execPath, path.join(folder, 'node'));
  script('recollect', `'${process.execPath}' '${COMMAND}'`);
  // Its log before it has read its configuration is a folder of the system, otherwise.
  script('nginx', `'${nginx}' -e stderr`);
  return {
    folder,
    paths: { '/bin/weaviate': path.join(folder, 'weaviate-server'), '/opt/model': model.directory },
  };
}
