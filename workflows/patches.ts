/**
 * Every `patched` of the workflow code: its id, the day it came, and when it may go. A test holds each `patched('…')` in the code against
 * this list.
 */
export const PATCHES: readonly { readonly id: string; readonly since: string; readonly removeWhen: string }[] = [
  {
    // Activities show the phase and hint the index by themselves, one call summarises all windows, and nothing is looked at without a reason.
    id: 'session-few-tasks',
    since: '2026-11-21',
    removeWhen: 'no run of a session is open that a worker of 0.1.0 began, and its histories are no longer kept',
  },
  {
    // The index tells all sessions of a batch at once that their vectors are written.
    id: 'index-tells-together',
    since: '2026-11-21',
    removeWhen: 'no run of an index is open that a worker of 0.1.0 began, and its histories are no longer kept',
  },
];
