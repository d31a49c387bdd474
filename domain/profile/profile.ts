/** Where a line of a profile comes from: a piece of a captured row, or what was said by hand, whose row is the learning itself. */
export interface ProfileEvidence {
  readonly rowId: string;
  /** Null for what was said by hand. */
  readonly sessionId: string | null;
  readonly quote: string;
  readonly occurredAt: Date;
}

/** A standing learning that quotes the user, or that he gave by hand. */
export interface PreferenceSource {
  readonly learningId: string;
  readonly category: string;
  readonly text: string;
  /** 0–1 */
  readonly confidence: number;
  readonly verified: boolean;
  /** The user's words alone; at least one piece. */
  readonly evidence: readonly ProfileEvidence[];
}

/** Something that the user prefers in general. */
export interface Preference {
  readonly text: string;
  readonly category: string;
  /** Learnings that say it, the surest first. */
  readonly learningIds: readonly string[];
  readonly verified: boolean;
  readonly confidence: number;
  /** Sessions that showed it. */
  readonly sessions: number;
  /** The newest first. */
  readonly evidence: readonly ProfileEvidence[];
}

/** A session as its newest summary tells it, with what the user said in it. */
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

/** What the user works on now. */
export interface FocusLine {
  readonly kind: 'request' | 'next_step';
  readonly text: string;
  readonly sessionId: string;
  readonly occurredAt: Date;
  readonly evidence: readonly ProfileEvidence[];
}
