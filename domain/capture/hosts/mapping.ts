import type { BoundaryKind, ObservationType, PromptType } from '../event.ts';

/** Location of a value in a payload: paths of field names and list indexes joined by dots (`workspace_roots.0`). The first path with a value wins. */
export type FieldPaths = readonly string[];

/** Mapping of a host's event as data: each entry becomes one part of a HostEvent, or none if its field is empty. */
export type MappedPart =
  | { readonly kind: 'prompt'; readonly type: PromptType; readonly content: FieldPaths }
  | {
      readonly kind: 'tool';
      /** The tool's name if the event implies it, else its location. */
      readonly name: string | FieldPaths;
      /** Location of the input, or of each of its fields. */
      readonly input: FieldPaths | Readonly<Record<string, FieldPaths>>;
      readonly response?: FieldPaths | undefined;
      /** Location of the message of a failed call; the event reports failed calls only. */
      readonly error?: FieldPaths | undefined;
      /** The same for an event that reports all calls: the call failed if there is a message. */
      readonly optional_error?: FieldPaths | undefined;
      /** Location of a flag that is false for a failed call. */
      readonly success?: FieldPaths | undefined;
      readonly duration_ms?: FieldPaths | undefined;
      readonly use_id?: FieldPaths | undefined;
      /** Input and response are JSON strings. */
      readonly json_text?: boolean | undefined;
    }
  | { readonly kind: 'note'; readonly type: ObservationType; readonly content: FieldPaths }
  | { readonly kind: 'boundary'; readonly boundary: BoundaryKind; readonly reason: string | FieldPaths };

export interface MappedEvent {
  /** In order. Empty: the event requests context or is stored elsewhere, and nothing is stored. */
  readonly parts: readonly MappedPart[];
  /** Fields stored with the session, by the name they are stored under. */
  readonly metadata?: Readonly<Record<string, FieldPaths>> | undefined;
  /** Fields that repeat what other events store: not stored as extra. */
  readonly repeated?: readonly string[] | undefined;
  /** The event starts a session: the response contains context if there is any. */
  readonly session_start?: boolean | undefined;
  /** The host shows the response to its agent: the response contains context for this prompt. */
  readonly answered?: boolean | undefined;
}

/** Recollect's name of a host's tool, so that files and commands are read from its input as from any other's. */
export interface MappedTool {
  readonly name?: string | undefined;
  /** Input fields to rename. */
  readonly rename?: Readonly<Record<string, string>> | undefined;
  /** Input field with a patch: the changed files are read from its headers. */
  readonly patch?: string | undefined;
  /** Events in which this tool is omitted because another event describes the call better. */
  readonly not_in?: readonly string[] | undefined;
}

/** An agent host as data: `codex-cli.json`, `cursor.json` and others. */
export interface HostMapping {
  readonly host: string;
  readonly session: FieldPaths;
  readonly project_path: FieldPaths;
  readonly model: FieldPaths;
  readonly agent: { readonly id: FieldPaths; readonly type: FieldPaths };
  /** Fields that are stored elsewhere or not needed: never stored as extra. */
  readonly common: readonly string[];
  readonly events: Readonly<Record<string, MappedEvent>>;
  readonly tools: Readonly<Record<string, MappedTool>>;
  /**
   * Form of context in a response: Claude Code's `hookSpecificOutput`, or a field `additional_context` or `contextModification`. Absent: the
   * host shows its agent no response.
   */
  readonly context_answer?: 'hook_specific_output' | 'additional_context' | 'context_modification' | undefined;
}

/** Returns the value at a path of names and list indexes joined by dots. Own fields only. */
function valueAt(payload: unknown, path: string): unknown {
  let value = payload;
  for (const name of path.split('.')) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, name)) return undefined;
    value = Object.getOwnPropertyDescriptor(value, name)?.value;
  }
  return value;
}

/** Returns the first value that is not missing, null or empty text; undefined if there is none. */
export function findValue(payload: unknown, paths: FieldPaths): unknown {
  for (const path of paths) {
    const value = valueAt(payload, path);
    if (value !== undefined && value !== null && value !== '') return value;
  }
  return undefined;
}

/** Returns the first such value that is a text. */
export function findText(payload: unknown, paths: FieldPaths): string | null {
  for (const path of paths) {
    const value = valueAt(payload, path);
    if (typeof value === 'string' && value !== '') return value;
  }
  return null;
}

type Fields = Readonly<Record<string, unknown>>;

/** Limit of a row's extra fields; those beyond it are omitted. */
export const EXTRA_BYTES = 16 * 1024;

/** Returns the fields of a payload whose names are not in `used`; null if there are none. */
export function extraFields(payload: Fields, used: ReadonlySet<string>): Fields | null {
  let extra: [string, unknown][] | null = null;
  // Runs for every tool call: most payloads have nothing extra, and then nothing is built.
  for (const name of Object.keys(payload)) {
    if (used.has(name) || payload[name] === undefined) continue;
    extra ??= [];
    extra.push([name, payload[name]]);
  }
  return extra === null ? null : Object.fromEntries(extra);
}

/**
 * Bounds redacted fields: in order, while they fit into EXTRA_BYTES as JSON; the names of the others go to `omitted_fields` as far as
 * they fit.
 */
export function boundedExtra(extra: Fields): Fields {
  const included: [string, unknown][] = [];
  const omitted: string[] = [];
  let bytes = 0;
  for (const [name, value] of Object.entries(extra)) {
    const size = Buffer.byteLength(JSON.stringify([name, value]), 'utf8');
    if (bytes + size > EXTRA_BYTES) {
      omitted.push(name);
      continue;
    }
    bytes += size;
    included.push([name, value]);
  }
  if (omitted.length > 0)
    included.push(['omitted_fields', omitted.slice(0, 20).map((name) => name.slice(0, 64).toWellFormed())]);
  return Object.fromEntries(included);
}
