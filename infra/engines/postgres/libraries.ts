import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../../instance/json-file.ts';
import { EngineError } from '../engine-error.ts';
import type { PostgresBinaries } from './binaries.ts';

const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }));
const LIBRARY = /\.(?:so|dylib)(?:\.|$)/;

/** Where the dynamic linker looks for libraries first. */
const SEARCH_PATH: Partial<Record<NodeJS.Platform, string>> = { darwin: 'DYLD_LIBRARY_PATH', linux: 'LD_LIBRARY_PATH' };

/**
 * Returns the programs with the environment in which they find their libraries. An npm package contains no links, and the script that adds
 * those between the names of a library does not run where npm blocks scripts; the package may also be read-only. A folder of the cache then
 * links all libraries under all names: the missing links alone do not suffice, because libraries search beside themselves. @throws EngineError
 */
export function withLibraries(binaries: PostgresBinaries, cacheDir: string): PostgresBinaries {
  const packageFolder = path.resolve(path.dirname(binaries.postgres), '..', '..');
  const file = path.join(packageFolder, 'native', 'pg-symlinks.json');
  const read = readJsonFile(file, linksSchema);
  if (read.kind === 'damaged')
    throw new EngineError('unavailable', `${file} is damaged (${read.reason}). Install Recollect again.`);
  // Packages of some platforms need no links.
  const links = read.kind === 'value' ? read.value : [];
  if (links.every(({ target }) => existsSync(path.join(packageFolder, target)))) return binaries;
  const folder = linkedFolder(packageFolder, links, cacheDir);
  const variable = SEARCH_PATH[process.platform];
  return variable === undefined ? binaries : { ...binaries, environment: { [variable]: folder } };
}

/** Returns the folder of links in the cache, created if missing. Its name depends on what it links, so it never changes. */
function linkedFolder(packageFolder: string, links: z.infer<typeof linksSchema>, cacheDir: string): string {
  const own = path.join(packageFolder, 'native', 'lib');
  const names = new Map(
    readdirSync(own)
      .filter((name) => LIBRARY.test(name))
      .map((name) => [name, path.join(own, name)]),
  );
  for (const { source, target } of links)
    if (LIBRARY.test(target)) names.set(path.basename(target), path.join(packageFolder, source));
  const key = createHash('sha256')
    .update(JSON.stringify([...names]))
    .digest('hex');
  const folder = path.join(cacheDir, 'engines', `postgres-libraries-${key.slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.${randomUUID().slice(0, 8)}`;
  try {
    mkdirSync(unfinished, { recursive: true });
    for (const [name, library] of names) symlinkSync(library, path.join(unfinished, name));
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    // Another start was faster.
    if (existsSync(folder)) return folder;
    const reason = error instanceof Error ? error.message : String(error);
    const message = `The libraries of PostgreSQL cannot be linked in ${folder}: ${reason}. Set RECOLLECT_CACHE_DIR to a writable folder.`;
    throw new EngineError('unavailable', message, { cause: error });
  }
  return folder;
}
