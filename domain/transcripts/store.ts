import type { BoundaryKind, HostEvent } from '../capture/event.ts';
import type { Duplicate, StoredPrompt } from './match.ts';

export interface StoredBoundary {
  readonly kind: BoundaryKind;
  readonly agentId: string | null;
  readonly seq: number;
  readonly atMs: number;
}

/** The stored part of a session that is compared with its transcript. */
export interface StoredSession {
  readonly sessionId: string;
  readonly status: string;
  readonly lastSeq: number;
  /** Source of its last row; null without one. */
  readonly lastSource: string | null;
  readonly prompts: readonly StoredPrompt[];
  readonly boundaries: readonly StoredBoundary[];
}

/** Outcome of an event. */
export interface Captured {
  readonly status: 'accepted' | 'duplicate' | 'rejected' | 'refused';
  readonly rowId: string | null;
  readonly sessionId: string | null;
}

/** A transcript prompt with its stored row. */
export interface Pin {
  readonly uuid: string;
  readonly sessionId: string;
  /** Null if the store rejects it. */
  readonly rowId: string | null;
  readonly hashes: readonly string[];
  readonly at: string | null;
}

/** The store for reconciliation: one tenant and one user. A port because domain may not import stores. */
export interface TranscriptStore {
  /** Returns the session with that host id; null if there is none, or if it was deleted. */
  readSession(externalId: string): Promise<StoredSession | null>;
  /** Returns which of these de-duplication keys the session has. */
  knownKeys(sessionId: string, keys: readonly string[]): Promise<ReadonlySet<string>>;
  /** Returns the session of each known prompt line; unknown lines are absent. */
  knownPrompts(uuids: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Returns which of these text hashes were forgotten in the session with that host id. */
  forgottenWords(externalId: string, hashes: readonly string[]): Promise<ReadonlySet<string>>;
  /** Stores events in order and hints their sessions' workflows; one outcome per event. */
  capture(events: readonly HostEvent[]): Promise<Captured[]>;
  /** Records the outcome of prompts. A pin without a row gets the row captured under the line's own key, if any. */
  pin(pins: readonly Pin[]): Promise<void>;
  /** Deletes late duplicates; returns their number. */
  removeDuplicates(sessionId: string, duplicates: readonly Duplicate[]): Promise<number>;
  /** Sets the session's start to at most the time of its first message. */
  beganBy(sessionId: string, at: string): Promise<void>;
}
