import { existsSync } from 'node:fs';
import path from 'node:path';
import { processEnvironment } from '../../../../config/process-environment.ts';

/** Folders of programs for administrators, which PATH of other users lacks. */
const SYSTEM = ['/usr/sbin', '/usr/local/sbin'];

/** Returns the path of the first program that is there. `advice`: how to install it. @throws Error with the advice, since what was not tried must not pass */
export function programPath(names: readonly string[], advice: string): string {
  const folders = [...(processEnvironment()['PATH'] ?? '').split(path.delimiter), ...SYSTEM];
  const found = folders
    .flatMap((folder) => names.map((name) => path.join(folder, name)))
    .find((file) => existsSync(file));
  if (found === undefined) throw new Error(advice);
  return found;
}
