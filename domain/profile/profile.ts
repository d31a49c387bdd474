/** Source of a profile line: a piece of a captured row, or a manual learning, whose row is the learning itself. */
export interface ProfileEvidence {
  readonly rowId: string;
  /** Null for manual learnings. */
  readonly sessionId: string | null;
  readonly quote: string;
  readonly occurredAt: Date;
}

/** A current learning that quotes the user, or that the user entered. */
export interface PreferenceSource {
  readonly learningId: string;
  readonly category: string;
  readonly text: string;
  /** 0–1 */
  readonly confidence: number;
  readonly verified: boolean;
  /** Quotes of the user only; at least one. */
  readonly evidence: readonly ProfileEvidence[];
}

/** A general preference of the user. */
export interface Preference {
  readonly text: string;
  readonly category: string;
  /** Its learnings, most reliable first. */
  readonly learningIds: readonly string[];
  readonly verified: boolean;
  readonly confidence: number;
  /** Number of sessions that showed it. */
  readonly sessions: number;
  /** The newest first. */
  readonly evidence: readonly ProfileEvidence[];
}

/** A session's newest summary, with its user prompts. */
export interface FocusSource {
  readonly sessionId: string;
  readonly projectId: string | null;
  readonly request: string;
  readonly completed: string;
  readonly actionItems: readonly {
    readonly text: string;
    readonly evidence: readonly { readonly rowId: string; readonly quote: string }[];
  }[];
  readonly prompts: readonly { readonly id: string; readonly content: string; readonly occurredAt: Date }[];
  readonly occurredAt: Date;
}

/** A line of the user's current work. */
export interface FocusLine {
  readonly kind: 'request' | 'next_step';
  readonly text: string;
  readonly sessionId: string;
  readonly occurredAt: Date;
  readonly evidence: readonly ProfileEvidence[];
}
