import type { CaptureEvent, EventOwner } from '../capture/event.ts';
import type { DropRule } from './counts.ts';
import type { SessionRef } from './session-name.ts';

/** The importing user, and the fingerprint of the source database. */
export interface MappingContext {
  readonly owner: EventOwner;
  readonly source: string;
}

/** A summary by claude-mem, redacted and ready to be stored. */
export interface ImportedSummary {
  readonly type: 'item' | 'session';
  /** claude-mem's kind; null for a session summary. */
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
  /** Cost of the complete response, recorded on one of its rows only. */
  readonly tokens: number;
  /** The project if it differs from the session's. */
  readonly project: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A note that a user saved in claude-mem. */
export interface ImportedNote {
  readonly title: string;
  readonly content: string;
  readonly tags: readonly string[];
  readonly project: string | null;
}

/** The mapping of a row. Times are milliseconds since 1970; null if the row has none. */
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
            /** The first prompt, if only the session row has it. */
            readonly prompt: CaptureEvent | null;
          }
        | { readonly kind: 'prompt'; readonly event: CaptureEvent }
        | { readonly kind: 'summary'; readonly summary: ImportedSummary }
        | { readonly kind: 'note'; readonly note: ImportedNote }
        /** Processed by our own pipeline. */
        | { readonly kind: 'raw'; readonly event: CaptureEvent };
    };
