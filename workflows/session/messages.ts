/** Events were captured. Without payload: PostgreSQL contains them. */
export const HINT_SIGNAL = 'hint';

/** The vectors of this session are written. */
export const INDEXED_SIGNAL = 'indexed';

/** Windows of this session that were in a provider batch are done, or wait again. */
export const SUMMARISED_SIGNAL = 'summarised';

/** Do not wait any longer: try the provider now, and give parked windows another turn. */
export const RETRY_SIGNAL = 'retry';

/** State of the session: `SessionView`. */
export const STATE_QUERY = 'state';

/** Sum up what was captured so far, without ending the session: `AskResult`. */
export const SUMMARISE_NOW_UPDATE = 'summariseNow';

/** End the session: sum up, learn, index, settle. A later capture opens it again. `AskResult`. */
export const CLOSE_UPDATE = 'close';

/** Switches capture of the session: `SetCaptureInput` → `SetCaptureResult`. */
export const SET_CAPTURE_UPDATE = 'setCapture';
