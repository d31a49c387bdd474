/** Names of what may be sent to a session's workflow; the api and the activities use them without importing workflow code. */
export const SESSION_WORKFLOW = 'session';

/** Something was captured. Carries nothing: what it was stands in PostgreSQL. */
export const HINT_SIGNAL = 'hint';

/** The vectors of this session are written. */
export const INDEXED_SIGNAL = 'indexed';

/** Windows of this session that were in a provider batch are done, or wait again. */
export const SUMMARISED_SIGNAL = 'summarised';

/** Do not wait any longer: try the provider now, and give parked windows another turn. */
export const RETRY_SIGNAL = 'retry';

/** Where the session stands: `SessionView`. */
export const STATE_QUERY = 'state';

/** Sum up what was captured so far, without ending the session: `AskResult`. */
export const SUMMARISE_NOW_UPDATE = 'summariseNow';

/** End the session: sum up, learn, index, settle. A later capture opens it again. `AskResult`. */
export const CLOSE_UPDATE = 'close';

/** Store what the session says, or not: `SetCaptureInput` → `SetCaptureResult`. */
export const SET_CAPTURE_UPDATE = 'setCapture';
