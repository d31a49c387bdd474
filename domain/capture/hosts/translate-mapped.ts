import type { EventPart, HostEvent } from '../event.ts';
import type { HookPayload } from '../hook-payload.ts';
import { isOwnTool } from '../own-tools.ts';
import { extraFields, findText, findValue } from './mapping.ts';
import type { FieldPaths, HostMapping, MappedEvent, MappedPart } from './mapping.ts';

type Fields = Readonly<Record<string, unknown>>;

const HEADER = /^\*\*\* (?:(?:Add|Update|Delete) File|Move to): /;
const FILES = 100;

/** Returns true for an absolute POSIX or Windows path. */
function isAbsolute(path: string): boolean {
  return path.startsWith('/') || /^[A-Za-z]:[\\/]/.test(path);
}

/** Resolves a relative path in a folder, if that is known. */
function inFolder(path: string, folder: string | null): string {
  return isAbsolute(path) || folder === null ? path : `${folder.replace(/\/$/, '')}/${path.replace(/^\.\//, '')}`;
}

/**
 * Returns the files that an `apply_patch` patch adds, changes, deletes or moves to, in order, without duplicates, at most 100. Relative
 * paths are resolved against `folder` if it is known.
 */
export function patchedFiles(patch: string, folder: string | null): string[] {
  const files = new Set<string>();
  for (const line of patch.split('\n')) {
    if (files.size >= FILES) break;
    const text = line.trim();
    const path = text.replace(HEADER, '');
    if (path === text) continue;
    files.add(inFolder(path, folder));
  }
  return [...files];
}

const MAX_DURATION_MS = 2_147_483_647;
const NAME_CHARS = 256;

type ToolPart = Extract<MappedPart, { kind: 'tool' }>;

/** Parses a text that is JSON; returns anything else unchanged. */
function parsed(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{"]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch (error) {
    if (error instanceof SyntaxError) return value; // Truncated by the host, or not JSON: the text is equally useful.
    throw error;
  }
}

function inputOf(mapped: ToolPart, payload: HookPayload): unknown {
  if (Array.isArray(mapped.input)) {
    const value = findValue(payload, mapped.input);
    return mapped.json_text === true ? parsed(value) : value;
  }
  return Object.fromEntries(
    Object.entries(mapped.input)
      .map(([name, paths]): [string, unknown] => [name, findValue(payload, paths)])
      .filter(([, value]) => value !== undefined),
  );
}

/** Returns the input under Recollect's field names, with the files of a patch. */
function knownInput(mapping: HostMapping, tool: string, input: unknown, folder: string | null): unknown {
  const known = Object.hasOwn(mapping.tools, tool) ? mapping.tools[tool] : undefined;
  if (known === undefined || input === null || typeof input !== 'object' || Array.isArray(input)) return input;
  const renamed: Fields = Object.fromEntries(
    Object.entries(input).map(([name, value]): [string, unknown] => {
      const field = known.rename?.[name] ?? name;
      return [field, field === 'file_path' && typeof value === 'string' ? inFolder(value, folder) : value];
    }),
  );
  const patch = known.patch === undefined ? undefined : renamed[known.patch];
  return typeof patch === 'string' ? { ...renamed, files: patchedFiles(patch, folder) } : renamed;
}

function durationOf(payload: HookPayload, paths: FieldPaths | undefined): number | null {
  const value = findValue(payload, paths ?? []);
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
    ? Math.min(Math.round(value), MAX_DURATION_MS)
    : null;
}

/** Returns the message of a failed call; null for a successful one. */
function failureOf({ error, optional_error, success }: ToolPart, payload: HookPayload): string | null {
  if (error !== undefined) return findText(payload, error) ?? 'failed';
  const message = findText(payload, optional_error ?? []);
  return message ?? (findValue(payload, success ?? []) === false ? 'failed' : null);
}

function toolPart(mapping: HostMapping, event: string, mapped: ToolPart, payload: HookPayload): EventPart[] {
  const tool = typeof mapped.name === 'string' ? mapped.name : (findText(payload, mapped.name) ?? 'unknown');
  const known = Object.hasOwn(mapping.tools, tool) ? mapping.tools[tool] : undefined;
  const response = findValue(payload, mapped.response ?? []);
  const input = inputOf(mapped, payload);
  if (isOwnTool(tool, response, input) || known?.not_in?.includes(event) === true) return [];
  const folder = findText(payload, ['cwd', ...mapping.project_path]);
  return [
    {
      kind: 'tool',
      event,
      name: known?.name ?? tool,
      input: knownInput(mapping, tool, input, folder) ?? null,
      response: (mapped.json_text === true ? parsed(response) : response) ?? null,
      error: failureOf(mapped, payload),
      durationMs: durationOf(payload, mapped.duration_ms),
      importance: null,
      tags: [],
      extra: extraFields(payload, usedFields(mapping, mapped)),
    },
  ];
}

/** Names of the payload's fields that a part uses, with those of every event. */
function usedFields(mapping: HostMapping, mapped: MappedPart): ReadonlySet<string> {
  const paths: (string | undefined)[] = [];
  for (const value of Object.values(mapped)) {
    if (Array.isArray(value)) paths.push(...value);
    else if (value !== null && typeof value === 'object') paths.push(...Object.values(value).flat());
  }
  return new Set([...mapping.common, ...paths.map((path) => String(path).split('.')[0] ?? '')]);
}

/** Returns the texts at a location with one text or a list of texts. */
function textsAt(payload: HookPayload, paths: FieldPaths): string[] {
  const value = findValue(payload, paths);
  return (Array.isArray(value) ? value : [value]).filter((text) => typeof text === 'string' && text !== '');
}

function partsOf(mapping: HostMapping, event: string, mapped: MappedPart, payload: HookPayload): EventPart[] {
  switch (mapped.kind) {
    case 'prompt':
      return textsAt(payload, mapped.content).map((content) => ({ kind: 'prompt', type: mapped.type, content }));
    case 'tool':
      return toolPart(mapping, event, mapped, payload);
    case 'note': {
      const content = findText(payload, mapped.content);
      if (content === null) return [];
      const extra = extraFields(payload, usedFields(mapping, mapped));
      return [{ kind: 'note', event, type: mapped.type, title: event, content, importance: null, tags: [], extra }];
    }
    case 'boundary': {
      const reason = typeof mapped.reason === 'string' ? mapped.reason : findText(payload, mapped.reason);
      return [{ kind: 'boundary', boundary: mapped.boundary, reason }];
    }
  }
}

/** Adds the unused fields to the last part if no part is an observation, which stores them itself. */
function withExtra(mapping: HostMapping, known: MappedEvent, payload: HookPayload, parts: EventPart[]): EventPart[] {
  const last = parts.at(-1);
  if (last === undefined || parts.some((part) => part.kind === 'tool' || part.kind === 'note')) return parts;
  if (last.kind !== 'prompt' && last.kind !== 'boundary') return parts;
  const names = known.parts.flatMap((part) => [...usedFields(mapping, part)]);
  const stored = Object.values(known.metadata ?? {}).flatMap((paths) => paths.map((path) => path.split('.')[0] ?? ''));
  const unwanted = new Set([...names, ...stored, ...(known.repeated ?? [])]);
  const extra = Object.entries(extraFields(payload, unwanted) ?? {}).filter(
    ([, value]) => value !== null && value !== '',
  );
  return extra.length === 0 ? parts : [...parts.slice(0, -1), { ...last, extra: Object.fromEntries(extra) }];
}

function metadataOf(fields: Readonly<Record<string, FieldPaths>>, payload: HookPayload): HostEvent['metadata'] {
  const stored = Object.entries(fields)
    .map(([name, paths]): [string, unknown] => [name, findValue(payload, paths)])
    .filter(([, value]) => value !== undefined);
  return stored.length === 0 ? null : Object.fromEntries(stored);
}

/**
 * Translates one event by a host's mapping. An event that the mapping does not name becomes an info observation with its own fields.
 * Returns null if there is nothing to store. Requires `payload.session_id`, which `withSessionId` sets.
 */
export function translateMapped(
  mapping: HostMapping,
  event: string,
  payload: HookPayload,
  deliveryId: string | null,
): HostEvent | null {
  const known = Object.hasOwn(mapping.events, event) ? mapping.events[event] : undefined;
  const content = known === undefined ? (extraFields(payload, new Set(mapping.common)) ?? {}) : {};
  const parts: EventPart[] =
    known === undefined
      ? [{ kind: 'note', event, type: 'info', title: event, content, importance: null, tags: [] }]
      : withExtra(
          mapping,
          known,
          payload,
          known.parts.flatMap((part) => partsOf(mapping, event, part, payload)),
        );
  if (parts.length === 0) return null;
  const tool = known?.parts.find((part) => part.kind === 'tool');
  const useId = tool?.use_id === undefined ? null : findText(payload, tool.use_id);
  const path = findText(payload, mapping.project_path);
  const started = known?.session_start === true;
  return {
    host: mapping.host,
    source: 'hook',
    externalId: payload.session_id,
    namespace: 'default',
    infer: true,
    project:
      path === null
        ? null
        : {
            path,
            remote: findText(payload, ['git_remote']) ?? undefined,
            machineId: findText(payload, ['machine_id']) ?? undefined,
            repository: findText(payload, ['repository']) ?? undefined,
          },
    key: useId === null ? (deliveryId ?? payload.event_id ?? null) : `tool:${useId}`,
    occurredAt: payload.timestamp ?? null,
    agent: {
      id: findText(payload, mapping.agent.id)?.slice(0, NAME_CHARS) ?? null,
      type: findText(payload, mapping.agent.type)?.slice(0, NAME_CHARS) ?? null,
    },
    model: started ? findText(payload, mapping.model) : null,
    metadata: known?.metadata === undefined ? null : metadataOf(known.metadata, payload),
    parts,
  };
}

/** Copies the host's own session id to `session_id`; returns the payload unchanged if it has none. */
export function withSessionId<Payload>(mapping: HostMapping, payload: Payload): Payload {
  const id = findValue(payload, mapping.session);
  if (payload === null || typeof payload !== 'object' || Array.isArray(payload) || id === undefined) return payload;
  return Object.assign({}, payload, { session_id: id });
}
