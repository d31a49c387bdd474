import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Environment } from './process-environment.ts';

export const SETTINGS_DIR = 'RECOLLECT_SETTINGS_DIR';

/** Names of settings; other files of the folder, such as the links of a mounted secret, are ignored. */
const NAME = /^(?:RECOLLECT|ANTHROPIC)_[A-Z0-9_]{1,100}$/;
const MAX_VALUE_BYTES = 65_536;

/** Returns the value in a file, without the line end that editors add. @throws Error for a file that cannot be read or is too large */
function valueIn(folder: string, name: string): string {
  const file = path.join(folder, name);
  try {
    if (statSync(file).size <= MAX_VALUE_BYTES) return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch {
    throw new Error(`${name}: its file in ${SETTINGS_DIR} cannot be read`);
  }
  throw new Error(`${name}: its file in ${SETTINGS_DIR} must have at most ${MAX_VALUE_BYTES} bytes`);
}

/**
 * Returns an environment with the settings of the folder that it names: one file for each setting, with the name of the setting; an empty file is
 * an unset one. So passwords and keys are in files that only the process reads. The result does not name the folder: a child process that gets it as its environment
 * must not read the settings twice. @throws Error with the setting for a folder or a file that cannot be read, a
 * value that is too large, and a setting that the environment has, too
 */
export function withSettingsFolder(environment: Environment): Environment {
  const { [SETTINGS_DIR]: folder, ...others } = environment;
  if (!folder) return environment;
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => NAME.test(name) && name !== SETTINGS_DIR);
  } catch {
    throw new Error(`${SETTINGS_DIR}: is not a folder that can be read`);
  }
  const twice = names.find((name) => others[name] !== undefined);
  if (twice !== undefined)
    throw new Error(`${twice}: is set in the environment and in ${SETTINGS_DIR}; remove one of them`);
  const settings = names.map((name) => [name, valueIn(folder, name)] as const).filter(([, value]) => value !== '');
  return { ...others, ...Object.fromEntries(settings) };
}
