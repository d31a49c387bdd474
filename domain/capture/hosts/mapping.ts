import type { BoundaryKind, ObservationType, PromptType } from '../event.ts';

/**
 * Where a value stands in a payload: paths of field names and list places joined by dots (`workspace_roots.0`). The first path at which
 * there is something wins.
 */
export type FieldPaths = readonly string[];

/** What an event of a host says, as data: each becomes one part of a HostEvent, or none where its field is empty. */
export type MappedPart =
  | { readonly kind: 'prompt'; readonly type: PromptType; readonly content: FieldPaths }
  | {
      readonly kind: 'tool';
      /** The tool's name where the event itself says it, else where it stands. */
      readonly name: string | FieldPaths;
      /** Where the input stands, or which field of it stands where. */
      readonly input: FieldPaths | Readonly<Record<string, FieldPaths>>;
      readonly response?: FieldPaths | undefined;
      /** A failed call: where its message stands. */
      readonly error?: FieldPaths | undefined;
      readonly duration_ms?: FieldPaths | undefined;
      readonly use_id?: FieldPaths | undefined;
      /** Input and response are JSON written as text. */
      readonly json_text?: boolean | undefined;
    }
  | { readonly kind: 'note'; readonly type: ObservationType; readonly content: FieldPaths }
  | { readonly kind: 'boundary'; readonly boundary: BoundaryKind; readonly reason: string | FieldPaths };

export interface MappedEvent {
  /** In the order in which they are said. None: the event is a question or is told elsewhere, and nothing is stored. */
  readonly parts: readonly MappedPart[];
  /** Fields that the session keeps, by the name they are kept under. */
  readonly metadata?: Readonly<Record<string, FieldPaths>> | undefined;
  /** The event starts a session: it is answered with context where something is known. */
  readonly session_start?: boolean | undefined;
  /** The host shows its agent what is answered to this prompt: what is known of it is told. */
  readonly answered?: boolean | undefined;
}

/** How a host's tool is called here, so that files and commands are told from its input as from any other's. */
export interface MappedTool {
  readonly name?: string | undefined;
  /** Fields of its input that have another name here. */
  readonly rename?: Readonly<Record<string, string>> | undefined;
  /** Field of its input that is a patch: the files that it changes are read from its headers. */
  readonly patch?: string | undefined;
  /** Events in which this tool is left out, because another event tells the call better. */
  readonly not_in?: readonly string[] | undefined;
}

/** An agent host as data: `codex-cli.json`, `cursor.json`. */
export interface HostMapping {
  readonly host: string;
  readonly session: FieldPaths;
  readonly project_path: FieldPaths;
  readonly model: FieldPaths;
  readonly agent: { readonly id: FieldPaths; readonly type: FieldPaths };
  /** Fields that are told elsewhere, or that no memory needs: never kept as extra. */
  readonly common: readonly string[];
  readonly events: Readonly<Record<string, MappedEvent>>;
  readonly tools: Readonly<Record<string, MappedTool>>;
  /** How context is answered: Claude Code's `hookSpecificOutput`, or a field `additional_context`. */
  readonly context_answer: 'hook_specific_output' | 'additional_context';
}

/** What stands at a path: names and list places joined by dots. Own fields only. */
function valueAt(payload: unknown, path: string): unknown {
  let value = payload;
  for (const name of path.split('.')) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, name)) return undefined;
    value = Object.getOwnPropertyDescriptor(value, name)?.value;
  }
  return value;
}

/** The first value that is neither missing nor null nor an empty text; undefined when there is none. */
export function findValue(payload: unknown, paths: FieldPaths): unknown {
  for (const path of paths) {
    const value = valueAt(payload, path);
    if (value !== undefined && value !== null && value !== '') return value;
  }
  return undefined;
}

/** The first such value that is a text. */
export function findText(payload: unknown, paths: FieldPaths): string | null {
  for (const path of paths) {
    const value = valueAt(payload, path);
    if (typeof value === 'string' && value !== '') return value;
  }
  return null;
}
