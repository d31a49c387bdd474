import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { VERSION } from '../../config/version.ts';
import { BUILT_CLIENT } from '../../hook/command-line.ts';

/** The client loads the second file from beside itself, so it is copied last. */
const FILES = ['later.cjs', 'client.cjs'] as const;

/** Returns the file of this version's hook client in a data directory. Agents' settings name it: it outlives npm's caches and other versions. */
export function hookClientCopy(dataDir: string): string {
  return path.join(path.resolve(dataDir), 'client', VERSION, 'client.cjs');
}

/** Copies the hook client into a data directory, each file atomically: agents may be running it. Returns false if it is there already. */
export function copyHookClient(dataDir: string): boolean {
  const folder = path.dirname(hookClientCopy(dataDir));
  const changed = FILES.filter((name) => {
    const copy = path.join(folder, name);
    return !existsSync(copy) || !readFileSync(copy).equals(readFileSync(builtFile(name)));
  });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of changed) {
    const temporary = path.join(folder, `${name}.${process.pid}.tmp`);
    copyFileSync(builtFile(name), temporary);
    renameSync(temporary, path.join(folder, name));
  }
  return changed.length > 0;
}

/** Updates the copy that `install` made, if there is one: a checkout changes its client without changing its version. */
export function refreshHookClient(dataDir: string): void {
  if (existsSync(hookClientCopy(dataDir))) copyHookClient(dataDir);
}

function builtFile(name: string): string {
  return path.join(path.dirname(BUILT_CLIENT), name);
}
