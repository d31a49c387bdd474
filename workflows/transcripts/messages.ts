export const TRANSCRIPT_IMPORT_WORKFLOW = 'transcriptImport';
export const TRANSCRIPT_WATCH_WORKFLOW = 'transcriptWatch';
