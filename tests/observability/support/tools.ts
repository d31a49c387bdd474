import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { processEnvironment } from '../../../config/process-environment.ts';

/** Debian's package of each program. */
const PACKAGES = {
  promtool: 'prometheus',
  prometheus: 'prometheus',
  amtool: 'prometheus-alertmanager',
  'prometheus-alertmanager': 'prometheus-alertmanager',
} as const;

export type Tool = keyof typeof PACKAGES;

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Returns the path of a program. @throws Error with the command that installs it */
export function pathOf(tool: Tool): string {
  const folders = (processEnvironment()['PATH'] ?? '').split(path.delimiter);
  const found = folders.map((folder) => path.join(folder, tool)).find(isExecutable);
  if (found !== undefined) return found;
  throw new Error(`${tool} is not on PATH: apt-get install --no-install-recommends ${PACKAGES[tool]}`);
}

/** Runs a program. Returns its output; an exit code other than 0 is a part of it. */
export function outputOf(tool: Tool, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(pathOf(tool), args, { encoding: 'utf8' });
  return `${stdout}${stderr}${status === 0 ? '' : `\nexit code ${status}`}`;
}
