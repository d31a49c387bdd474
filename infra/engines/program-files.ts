import { accessSync, constants, createReadStream, statSync } from 'node:fs';
import path from 'node:path';
import type { Environment } from '../../config/process-environment.ts';
import type { Engine, EngineProgram } from './pinned.ts';

/** Returns true for a file that this user can execute. */
export function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    const found = statSync(file);
    return found.isFile() && found.size > 0;
  } catch {
    return false;
  }
}

/** Returns the first program of these names on the PATH, or null. */
export function findOnPath(names: readonly string[], environment: Environment): string | null {
  const folders = (environment['PATH'] ?? '').split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  for (const folder of folders) {
    for (const name of names) {
      const file = path.join(folder, name);
      if (isProgram(file)) return file;
    }
  }
  return null;
}

/** Returns the cache folder of an engine's version for this machine. */
export function cacheEntry(cacheDir: string, engine: Engine, os: string, architecture: string): string {
  return path.join(cacheDir, 'engines', `${engine.name}-${engine.version}-${os}-${architecture}`);
}

/**
 * Returns true if a program has the pinned version, by the stamp that Go writes to every program (module, then version);
 * does not run it.
 */
export async function hasPinnedVersion(file: string, program: EngineProgram, version: string): Promise<boolean> {
  const stamp = new RegExp(
    `\\t${escapeForPattern(program.goModule)}\\tv${escapeForPattern(version)}(?:\\+dirty)?[\\t\\n]`,
  );
  let carried = '';
  for await (const chunk of createReadStream(file, { encoding: 'latin1', highWaterMark: 1024 * 1024 })) {
    const text = carried + String(chunk);
    if (stamp.test(text)) return true;
    carried = text.slice(-256);
  }
  return false;
}

function escapeForPattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`);
}
