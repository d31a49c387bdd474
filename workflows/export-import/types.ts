export interface ExportImportInput {
  readonly tenantId: string;
  /** Of the row in `exports` or in `imports`. */
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
  /** Writes the file of an export whole; begun anew it writes it again. Answers false where something was erased meanwhile, and the file was not kept. */
  writeExport(input: ExportImportInput): Promise<boolean>;
  endExport(input: ExportImportEnd): Promise<void>;
  /** Takes the file of an import in; begun anew it goes on after the last batch. */
  readExportFile(input: ExportImportInput): Promise<void>;
  endFileImport(input: ExportImportEnd): Promise<void>;
  /** Takes away the files of exports whose time is over. */
  expireExports(): Promise<{ readonly expired: number }>;
}
