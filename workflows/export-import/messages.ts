export const EXPORT_WORKFLOW = 'exportRun';
export const PORTABLE_IMPORT_WORKFLOW = 'portableImport';

/** Answers a `PortabilityView`. */
export const PORTABILITY_PROGRESS_QUERY = 'progress';
