export interface ExportImportInput {
  readonly tenantId: string;
  /** Id of the row in `exports` or `imports`. */
  readonly jobId: string;
}

export interface ExportImportView {
  readonly state: 'running' | 'completed';
}

export interface ExportImportEnd extends ExportImportInput {
  readonly state: 'failed' | 'cancelled';
  /** Type of the failure. */
  readonly error: string | null;
}

export interface ExportImportActivities {
  /** Writes the complete file of an export; a retry writes it again. Returns false if data was erased meanwhile and the file was discarded. */
  writeExport(input: ExportImportInput): Promise<boolean>;
  endExport(input: ExportImportEnd): Promise<void>;
  /** Imports a file; a retry continues after the last batch. */
  readExportFile(input: ExportImportInput): Promise<void>;
  endFileImport(input: ExportImportEnd): Promise<void>;
  /** Deletes the files of expired exports. */
  expireExports(): Promise<{ readonly expired: number }>;
}
