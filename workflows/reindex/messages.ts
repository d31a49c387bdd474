export const REINDEX_WORKFLOW = 'reindex';

/** Look again now: somebody asks, or the settings changed. */
export const LOOK_SIGNAL = 'look';

/** Answers a `ReindexView`. */
export const PROGRESS_QUERY = 'progress';
