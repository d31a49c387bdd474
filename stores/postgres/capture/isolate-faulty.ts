import type { CaptureOutcome } from '../../../domain/capture/event.ts';
import { isDataFault } from '../connection/database-codes.ts';

/** Outcome of one event: stored or known; rejected for its content; or not stored because storage became unavailable. */
export type CommitResult =
  | CaptureOutcome
  | { readonly status: 'refused' }
  | { readonly status: 'failed'; readonly error: unknown };

function failures(events: readonly unknown[], error: unknown): CommitResult[] {
  return events.map(() => ({ status: 'failed', error }));
}

/**
 * Stores events together, all or none of a call of `store`. If it rejects them for the content of one, finds that one by halves and stores the others.
 * If storage becomes unavailable, later events are not tried: a session's events remain in order when they are sent again. Returns one result per
 * event, in order.
 */
export async function isolateFaulty<Event>(
  events: readonly Event[],
  store: (events: readonly Event[]) => Promise<CaptureOutcome[]>,
): Promise<CommitResult[]> {
  try {
    return await store(events);
  } catch (error) {
    if (!isDataFault(error)) return failures(events, error);
    if (events.length === 1) return [{ status: 'refused' }];
    const middle = Math.ceil(events.length / 2);
    const first = await isolateFaulty(events.slice(0, middle), store);
    const rest = events.slice(middle);
    const failed = first.find((result) => result.status === 'failed');
    return [...first, ...(failed === undefined ? await isolateFaulty(rest, store) : failures(rest, failed.error))];
  }
}
