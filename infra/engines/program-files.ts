import { accessSync, constants, createReadStream, statSync } from 'node:fs';
import path from 'node:path';
import type { Environment } from '../../config/process-environment.ts';
import type { Engine, EngineProgram } from './pinned.ts';

/** Whether a path is a file that this user may run. */
export function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    const found = statSync(file);
    return found.isFile() && found.size > 0;
  } catch {
    return false;
  }
}

/** The first program of one of these names on the PATH, or null. */
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

/** The folder in the cache that holds an engine of this version for this machine. */
export function cacheEntry(cacheDir: string, engine: Engine, os: string, architecture: string): string {
  return path.join(cacheDir, 'engines', `${engine.name}-${engine.version}-${os}-${architecture}`);
}

/**
 * Whether a program is of the pinned version, by the stamp that Go writes into every program (module, then version): it is
 * there whether the program was released or built, and reading it runs nothing.
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
