import type { CaptureEvent, EventOwner } from '../capture/event.ts';
import type { DropRule } from './counts.ts';
import type { SessionRef } from './session-name.ts';

/** Who imports, and the fingerprint of the database that is read. */
export interface MappingContext {
  readonly owner: EventOwner;
  readonly source: string;
}

/** A summary that its maker wrote, redacted and ready to be stored. */
export interface ImportedSummary {
  readonly type: 'item' | 'session';
  /** Their word for it; null for a session's. */
  readonly kind: string | null;
  readonly title: string;
  readonly content: string;
  readonly request: string | null;
  readonly investigated: string | null;
  readonly learned: string | null;
  readonly completed: string | null;
  readonly nextSteps: string | null;
  readonly notes: string | null;
  readonly keyPoints: readonly string[];
  readonly tags: readonly string[];
  readonly filesRead: readonly string[];
  readonly filesModified: readonly string[];
  readonly model: string;
  /** Cost of the whole response, on one row of it alone. */
  readonly tokens: number;
  /** The project where it is another one than the session's. */
  readonly project: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** What a person had claude-mem keep. */
export interface ImportedNote {
  readonly title: string;
  readonly content: string;
  readonly tags: readonly string[];
  readonly project: string | null;
}

/** What a row becomes. Times are milliseconds since 1970; null where the row has none. */
export type Draft =
  | { readonly id: number; readonly dropped: DropRule }
  | {
      readonly id: number;
      readonly dropped: null;
      readonly session: SessionRef;
      readonly atMs: number | null;
      readonly becomes:
        | {
            readonly kind: 'session';
            readonly title: string | null;
            readonly endedAtMs: number | null;
            readonly metadata: Readonly<Record<string, unknown>>;
            /** The first prompt, where it is kept with the session only. */
            readonly prompt: CaptureEvent | null;
          }
        | { readonly kind: 'prompt'; readonly event: CaptureEvent }
        | { readonly kind: 'summary'; readonly summary: ImportedSummary }
        | { readonly kind: 'note'; readonly note: ImportedNote }
        /** Goes through our own pipeline. */
        | { readonly kind: 'raw'; readonly event: CaptureEvent };
    };
