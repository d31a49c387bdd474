export const TRANSCRIPT_IMPORT_WORKFLOW = 'transcriptImport';
export const TRANSCRIPT_WATCH_WORKFLOW = 'transcriptWatch';

/** How far an import came: `ImportView`. */
export const IMPORT_PROGRESS_QUERY = 'progress';
