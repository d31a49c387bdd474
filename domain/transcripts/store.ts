import type { BoundaryKind, HostEvent } from '../capture/event.ts';
import type { Double, StoredPrompt } from './match.ts';

export interface StoredBoundary {
  readonly kind: BoundaryKind;
  readonly agentId: string | null;
  readonly seq: number;
  readonly atMs: number;
}

/** What of a session is compared with its transcript. */
export interface StoredSession {
  readonly sessionId: string;
  readonly status: string;
  readonly lastSeq: number;
  /** How its last row came; null where it has none. */
  readonly lastSource: string | null;
  readonly prompts: readonly StoredPrompt[];
  readonly boundaries: readonly StoredBoundary[];
}

/** What became of an event. */
export interface Captured {
  readonly status: 'accepted' | 'duplicate' | 'rejected' | 'refused';
  readonly rowId: string | null;
  readonly sessionId: string | null;
}

/** A prompt of a transcript whose place in the store is known. */
export interface Pin {
  readonly uuid: string;
  readonly sessionId: string;
  /** Null where the store does not take it. */
  readonly rowId: string | null;
  readonly hashes: readonly string[];
  readonly at: string | null;
}

/** The store as reconciling needs it: one tenant and one user. */
export interface TranscriptStore {
  /** A session of that host's id; null when there is none, or when it was deleted. */
  readSession(externalId: string): Promise<StoredSession | null>;
  /** Which of these de-duplication keys the session has. */
  knownKeys(sessionId: string, keys: readonly string[]): Promise<ReadonlySet<string>>;
  /** In which session each of these lines was found before, of those that are prompts; the others are left out. */
  knownPrompts(uuids: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Which of these hashes of a prompt's text were forgotten in a session of that host's id. */
  forgottenWords(externalId: string, hashes: readonly string[]): Promise<ReadonlySet<string>>;
  /** Stores events in order, and tells their sessions' workflows; one answer an event. */
  capture(events: readonly HostEvent[]): Promise<Captured[]>;
  /** Notes what became of prompts. A pin without a row gets the one that was captured under the line's own key, if any. */
  pin(pins: readonly Pin[]): Promise<void>;
  /** Takes late rows out that say what stands there already; answers how many were. */
  removeDuplicates(sessionId: string, late_duplicates: readonly Double[]): Promise<number>;
  /** A session began no later than what was first said in it. */
  beganBy(sessionId: string, at: string): Promise<void>;
}
