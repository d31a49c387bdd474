import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { readText } from './project/read-text.ts';

const KEY_VARIABLE = 'RECOLLECT_API_KEY';
const HOOK_URL = /^https?:\/\/[^\s?#]*\/api\/v1\/hooks\/[A-Za-z0-9_-]+(?:\?[^\s#]*)?$/;
/** Matches the copy of the client in any data directory, followed by the `--data-dir` that the installer always writes. */
const CLIENT_COMMAND = /[/\\]client[/\\]\d[^/\\'"\n]{0,64}[/\\]client\.cjs['"]?\s(?:[^\n]*\s)?['"]?--data-dir\b/;
/** A word of a command line as the installer quotes it. */
const WORD = /'(?:[^']|'\\'')*'|[^\s']+/g;

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** Returns true for a hook that `install` wrote, for any version, address or folder. */
export function isOwn(hook: unknown): boolean {
  if (!isRecord(hook)) return false;
  const { type, url, command, headers } = hook;
  if (type === 'http')
    return typeof url === 'string' && HOOK_URL.test(url) && JSON.stringify(headers ?? {}).includes(KEY_VARIABLE);
  return typeof command === 'string' && CLIENT_COMMAND.test(command);
}

/** Returns true if Node and the client of a hook of `install` are on this machine: project settings may come from another one. */
function runsHere(hook: unknown): boolean {
  if (!isRecord(hook) || typeof hook['command'] !== 'string') return true;
  const words = (hook['command'].match(WORD) ?? []).slice(0, 2);
  return words
    .map((word) => (word.startsWith("'") ? word.slice(1, -1).replaceAll(`'\\''`, "'") : word))
    .every((file) => isAbsolute(file) && existsSync(file));
}

/** Bound of a settings file, as of the installer. */
const SETTINGS_BYTES = 4 * 1024 * 1024;

/** Returns the groups of hooks of an event in a settings file; none if it is missing or is not JSON. */
function groupsIn(file: string, event: string): readonly unknown[] {
  const text = readText(file, SETTINGS_BYTES);
  if (text === null) return [];
  try {
    const settings: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    const hooks = isRecord(settings) ? settings['hooks'] : null;
    const groups = isRecord(hooks) && Object.hasOwn(hooks, event) ? hooks[event] : null;
    return Array.isArray(groups) ? groups : [];
  } catch {
    return []; // Claude Code does not use such a file either.
  }
}

/** Returns true if one of these settings files of Claude Code has a working hook of `install` for the event. */
export function hasInstalledHook(files: readonly string[], event: string): boolean {
  return files.some((file) =>
    groupsIn(file, event).some((group) => {
      const hooks = isRecord(group) ? group['hooks'] : null;
      return Array.isArray(hooks) && hooks.some((hook) => isOwn(hook) && runsHere(hook));
    }),
  );
}
