export const EXPORT_WORKFLOW = 'exportRun';
export const PORTABLE_IMPORT_WORKFLOW = 'fileImport';
