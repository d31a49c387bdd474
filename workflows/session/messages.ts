/** Names of what may be sent to a session's workflow; the api and the activities use them without importing workflow code. */
export const SESSION_WORKFLOW = 'session';

/** Something was captured. Carries nothing: what it was stands in PostgreSQL. */
export const HINT_SIGNAL = 'hint';

/** The vectors of this session are written. */
export const INDEXED_SIGNAL = 'indexed';

/** Where the session stands: `SessionView`. */
export const STATE_QUERY = 'state';
