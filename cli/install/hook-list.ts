import { isDeepStrictEqual } from 'node:util';
import { JsonEdit } from './json-edit.ts';
import { InstallError } from './install-error.ts';

/** Form of an agent's hooks: groups with a matcher (Claude Code, Codex CLI), or a flat list (Cursor). */
export type HookStyle = 'grouped' | 'flat';

/** Entry for the list of an event: a group, or a hook if the style is flat. */
export interface RequestedHook {
  readonly event: string;
  readonly entry: Readonly<Record<string, unknown>>;
}

type Place = { readonly index: number; readonly inner: number | null; readonly value: unknown };

const KEY_VARIABLE = 'RECOLLECT_API_KEY';
const HOOK_URL = /^https?:\/\/[^\s?#]*\/api\/v1\/hooks\/[A-Za-z0-9_-]+(?:\?[^\s#]*)?$/;
/** Matches the copy of the client in any data directory, followed by the `--data-dir` that the installer always writes. */
const CLIENT_COMMAND = /[/\\]client[/\\]\d[^/\\'"\n]{0,64}[/\\]client\.cjs['"]?\s(?:[^\n]*\s)?['"]?--data-dir\b/;

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** Returns true for a hook that Recollect wrote, for any version, address or folder. */
export function isOwn(hook: unknown): boolean {
  if (!isRecord(hook)) return false;
  const { type, url, command, headers } = hook;
  if (type === 'http')
    return typeof url === 'string' && HOOK_URL.test(url) && JSON.stringify(headers ?? {}).includes(KEY_VARIABLE);
  return typeof command === 'string' && CLIENT_COMMAND.test(command);
}

/** Returns the places of Recollect's hooks in the list of an event. `inner` is null if the complete entry is Recollect's. */
function placesOf(list: readonly unknown[], style: HookStyle): Place[] {
  return list.flatMap((entry, index): Place[] => {
    if (style === 'flat') return isOwn(entry) ? [{ index, inner: null, value: entry }] : [];
    const hooks: unknown = isRecord(entry) ? entry['hooks'] : undefined;
    if (!Array.isArray(hooks)) return [];
    const own = hooks.flatMap((hook: unknown, inner) => (isOwn(hook) ? [inner] : []));
    if (own.length === 0) return [];
    if (own.length === hooks.length) return [{ index, inner: null, value: entry }];
    return own.map((inner) => ({ index, inner, value: undefined }));
  });
}

/** Returns the hook lists by event. @throws InstallError for another JSON type */
function listsOf(edit: JsonEdit): Map<string, readonly unknown[]> {
  const hooks = edit.value(['hooks']);
  if (hooks === undefined) return new Map();
  if (!isRecord(hooks))
    throw new InstallError('wrong-shape', '`hooks` in the settings is not an object. Nothing was written.');
  return new Map(
    Object.entries(hooks).map(([event, list]) => {
      if (!Array.isArray(list))
        throw new InstallError('wrong-shape', `\`hooks.${event}\` in the settings is not a list. Nothing was written.`);
      return [event, list];
    }),
  );
}

/**
 * Returns the text with exactly the requested hooks of Recollect. Equal hooks remain in place, other hooks of Recollect are replaced
 * or removed, hooks of others are unchanged.
 */
export function mergeHooks(text: string, style: HookStyle, requested: readonly RequestedHook[]): string {
  const edit = new JsonEdit(text);
  const lists = listsOf(edit);
  const events = new Set([...lists.keys(), ...requested.map((hook) => hook.event)]);
  for (const event of events) {
    const list = lists.get(event) ?? [];
    const places = placesOf(list, style);
    const entries = requested.filter((hook) => hook.event === event).map((hook) => hook.entry);
    if (entries.length === places.length && places.every((place) => place.inner === null)) {
      for (const [order, { index, value }] of places.entries())
        if (!isDeepStrictEqual(value, entries[order])) edit.replace(['hooks', event, index], entries[order]);
      continue;
    }
    for (const { index, inner } of places.toReversed())
      edit.remove(inner === null ? ['hooks', event, index] : ['hooks', event, index, 'hooks', inner]);
    if (entries.length > 0) {
      if (edit.value(['hooks']) === undefined) edit.set([], 'hooks', {});
      if (!lists.has(event)) edit.set(['hooks'], event, []);
      for (const entry of entries) edit.append(['hooks', event], entry);
    } else if (isEmpty(edit.value(['hooks', event]))) edit.remove(['hooks', event]);
  }
  if (lists.size > 0 && isEmpty(edit.value(['hooks']))) edit.remove(['hooks']);
  return edit.text;
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 0 : isRecord(value) && Object.keys(value).length === 0;
}

/** Returns the number of Recollect's hooks in a text. */
export function countHooks(text: string, style: HookStyle): number {
  return [...listsOf(new JsonEdit(text)).values()].reduce(
    (sum, list) => sum + list.flatMap((entry) => (style === 'flat' ? [entry] : hooksOf(entry))).filter(isOwn).length,
    0,
  );
}

function hooksOf(entry: unknown): readonly unknown[] {
  const hooks: unknown = isRecord(entry) ? entry['hooks'] : undefined;
  return Array.isArray(hooks) ? hooks : [];
}

/** Returns the text with the key in its `env`, or without it. @throws InstallError if `env` is not an object */
export function mergeKey(text: string, key: string | null): string {
  const edit = new JsonEdit(text);
  const env = edit.value(['env']);
  if (env !== undefined && !isRecord(env))
    throw new InstallError('wrong-shape', '`env` in the settings is not an object. Nothing was written.');
  const present = env !== undefined && Object.hasOwn(env, KEY_VARIABLE);
  if (key !== null) {
    if (env === undefined) edit.set([], 'env', { [KEY_VARIABLE]: key });
    else if (env[KEY_VARIABLE] !== key) edit.set(['env'], KEY_VARIABLE, key);
  } else if (present) {
    edit.remove(['env', KEY_VARIABLE]);
    if (isEmpty(edit.value(['env']))) edit.remove(['env']);
  }
  return edit.text;
}

/** Returns the text without Recollect's hooks and key. */
export function withoutOwn(text: string, style: HookStyle): string {
  return mergeKey(mergeHooks(text, style, []), null);
}

/** Returns the parsed text without empty lists and objects, for comparison. */
function essence(text: string): unknown {
  const prune = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(prune);
    if (!isRecord(value)) return value;
    return Object.fromEntries(
      Object.entries(value)
        .map(([name, inner]): [string, unknown] => [name, prune(inner)])
        .filter(([, inner]) => !isEmpty(inner)),
    );
  };
  return prune(text.trim() === '' ? {} : JSON.parse(text.replace(/^\uFEFF/, '')));
}

/** Returns the newest backup with the content that remains without Recollect: the original bytes. Null if there is none. */
export function originalAmong(backups: readonly string[], remaining: string, style: HookStyle): string | null {
  const target = essence(remaining);
  const isEqual = (backup: string): boolean => {
    try {
      return (
        isDeepStrictEqual(essence(backup), target) && (backup.trim() === '' || withoutOwn(backup, style) === backup)
      );
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof InstallError) return false; // A modified backup.
      throw error;
    }
  };
  return backups.find(isEqual) ?? null;
}

/** Returns true if only content of the installation remains: the file can be deleted. */
export function isUnneeded(text: string, made: Readonly<Record<string, unknown>>): boolean {
  const remaining = essence(text);
  return isEmpty(remaining) || isDeepStrictEqual(remaining, made);
}
