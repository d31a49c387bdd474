/** Statuses of a session that is not deleted. */
export const SESSION_STATUSES = ['active', 'ended', 'archived'] as const;

/** Orders of a list of sessions: by an index. One over the time of the last event would make each capture write every index of its session. */
export const SESSION_SORTS = ['newest', 'oldest'] as const;

/** States of a window: `batched` is in a provider batch, `parked` failed permanently. */
export const WINDOW_STATES = ['pending', 'batched', 'summarised', 'parked'] as const;
