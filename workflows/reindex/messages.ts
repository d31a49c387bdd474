/** Do the next step now: after a request or a change of settings. */
export const WAKE_SIGNAL = 'wake';
