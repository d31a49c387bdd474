import { isDeepStrictEqual } from 'node:util';
import { InstallError } from './install-error.ts';
import { JsonEdit } from './json-edit.ts';

/** How an agent's file lists its hooks: in groups with a matcher (Claude Code, Codex CLI), or one after the other (Cursor). */
export type HookStyle = 'grouped' | 'flat';

/** What shall stand in the list of an event: a group, or a hook where the style is flat. */
export interface RequestedHook {
  readonly event: string;
  readonly entry: Readonly<Record<string, unknown>>;
}

type Place = { readonly index: number; readonly inner: number | null; readonly value: unknown };

const KEY_VARIABLE = 'RECOLLECT_API_KEY';
const HOOK_URL = /^https?:\/\/[^\s?#]*\/api\/v1\/hooks\/[A-Za-z0-9_-]+(?:\?[^\s#]*)?$/;
/** The client's file in whatever folder it was installed, and the data directory that the installer always names. */
const CLIENT_COMMAND = /[/\\]hook[/\\][^'"\n]{0,64}\.(?:ts|mjs|js|cjs)['"]?\s(?:[^\n]*\s)?['"]?--data-dir\b/;

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** Whether a hook is one that Recollect wrote, of this or an older version, for this or another address or folder. */
export function isOwn(hook: unknown): boolean {
  if (!isRecord(hook)) return false;
  const { type, url, command, headers } = hook;
  if (type === 'http')
    return typeof url === 'string' && HOOK_URL.test(url) && JSON.stringify(headers ?? {}).includes(KEY_VARIABLE);
  return typeof command === 'string' && CLIENT_COMMAND.test(command);
}

/** Where our hooks stand in the list of an event. `inner` is null where the whole entry is ours. */
function placesOf(list: readonly unknown[], style: HookStyle): Place[] {
  return list.flatMap((entry, index): Place[] => {
    if (style === 'flat') return isOwn(entry) ? [{ index, inner: null, value: entry }] : [];
    const hooks: unknown = isRecord(entry) ? entry['hooks'] : undefined;
    if (!Array.isArray(hooks)) return [];
    const ours = hooks.flatMap((hook: unknown, inner) => (isOwn(hook) ? [inner] : []));
    if (ours.length === 0) return [];
    if (ours.length === hooks.length) return [{ index, inner: null, value: entry }];
    return ours.map((inner) => ({ index, inner, value: undefined }));
  });
}

/** Lists of hooks by event. Throws InstallError where the file has something else in their place. */
function listsOf(edit: JsonEdit): Map<string, readonly unknown[]> {
  const hooks = edit.value(['hooks']);
  if (hooks === undefined) return new Map();
  if (!isRecord(hooks))
    throw new InstallError('wrong-shape', 'In the settings, hooks is no object. Nothing was written.');
  return new Map(
    Object.entries(hooks).map(([event, list]) => {
      if (!Array.isArray(list))
        throw new InstallError('wrong-shape', `In the settings, hooks.${event} is no list. Nothing was written.`);
      return [event, list];
    }),
  );
}

/**
 * The text with exactly the wanted hooks of ours in it. Ours that are as they should be stay where they are, others of ours are
 * replaced or taken out; nobody else's are touched. The same text comes back where nothing is to do.
 */
export function mergeHooks(text: string, style: HookStyle, wanted: readonly RequestedHook[]): string {
  const edit = new JsonEdit(text);
  const lists = listsOf(edit);
  const events = new Set([...lists.keys(), ...wanted.map((hook) => hook.event)]);
  for (const event of events) {
    const list = lists.get(event) ?? [];
    const places = placesOf(list, style);
    const entries = wanted.filter((hook) => hook.event === event).map((hook) => hook.entry);
    if (entries.length === places.length && places.every((place) => place.inner === null)) {
      for (const [order, { index, value }] of places.entries())
        if (!isDeepStrictEqual(value, entries[order])) edit.replace(['hooks', event, index], entries[order]);
      continue;
    }
    for (const { index, inner } of places.toReversed())
      edit.remove(inner === null ? ['hooks', event, index] : ['hooks', event, index, 'hooks', inner]);
    if (entries.length > 0) {
      if (edit.value(['hooks']) === undefined) edit.set([], 'hooks', {});
      if (!lists.has(event)) edit.set(['hooks'], event, entries.splice(0, 1));
      for (const entry of entries) edit.append(['hooks', event], entry);
    } else if (isEmpty(edit.value(['hooks', event]))) edit.remove(['hooks', event]);
  }
  if (lists.size > 0 && isEmpty(edit.value(['hooks']))) edit.remove(['hooks']);
  return edit.text;
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 0 : isRecord(value) && Object.keys(value).length === 0;
}

/** How many hooks of ours a text holds. */
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

/** The text with our key in its `env`, or without it. Throws InstallError where `env` is no object. */
export function mergeKey(text: string, key: string | null): string {
  const edit = new JsonEdit(text);
  const env = edit.value(['env']);
  if (env !== undefined && !isRecord(env))
    throw new InstallError('wrong-shape', 'In the settings, env is no object. Nothing was written.');
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

/** The text without anything of ours. */
export function withoutOwn(text: string, style: HookStyle): string {
  return mergeKey(mergeHooks(text, style, []), null);
}

/** What a text says, lists and objects that hold nothing left out: two texts that differ by those alone say the same. */
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

/** The newest copy that says what is left without ours: put back, the file is byte for byte what it was. Null when none does. */
export function originalAmong(backups: readonly string[], remaining: string, style: HookStyle): string | null {
  const wanted = essence(remaining);
  const saysTheSame = (backup: string): boolean => {
    try {
      return (
        isDeepStrictEqual(essence(backup), wanted) && (backup.trim() === '' || withoutOwn(backup, style) === backup)
      );
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof InstallError) return false; // A copy that somebody changed.
      throw error;
    }
  };
  return backups.find(saysTheSame) ?? null;
}

/** True when nothing is left but what installing itself put there: a file that did not exist before need not exist after. */
export function saysNothing(text: string, made: Readonly<Record<string, unknown>>): boolean {
  const left = essence(text);
  return isEmpty(left) || isDeepStrictEqual(left, made);
}
