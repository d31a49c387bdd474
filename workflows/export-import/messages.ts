export const EXPORT_WORKFLOW = 'exportRun';
export const PORTABLE_IMPORT_WORKFLOW = 'fileImport';

/** Answers a `ExportImportView`. */
export const PORTABILITY_PROGRESS_QUERY = 'progress';
