import type { Answer } from './answer-reader.ts';

/** What came of sending one event. */
export type Outcome =
  | { readonly kind: 'accepted'; readonly body: string }
  /** The server is there and will never take this event. */
  | { readonly kind: 'refused'; readonly status: number; readonly body: string }
  /** Nobody answered in time, or the server cannot take anything now. */
  | { readonly kind: 'away'; readonly reason: string };

/** Answers after which the same event may be taken later: in a hurry, or the key was changed and the client is not told yet. */
const LATER = new Set([401, 403, 408, 429]);

/** What an answer means for its event: a server at fault (5xx), in a hurry or with another key will take it later. */
export function outcomeOf({ status, body }: Answer): Outcome {
  if (status >= 200 && status < 300) return { kind: 'accepted', body };
  if (status >= 400 && status < 500 && !LATER.has(status)) return { kind: 'refused', status, body };
  return { kind: 'away', reason: `status ${status}` };
}

/** An error of a connection by its code, which never holds what was sent. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message.slice(0, 120);
}
