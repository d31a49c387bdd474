export interface PortabilityInput {
  readonly tenantId: string;
  /** Of the row in `exports` or in `imports`. */
  readonly jobId: string;
}

export interface PortabilityView {
  readonly state: 'running' | 'done';
}

export interface PortabilityEnd extends PortabilityInput {
  readonly state: 'failed' | 'cancelled';
  /** Type of the failure. */
  readonly error: string | null;
}

export interface PortabilityActivities {
  /** Writes the file of an export whole; begun anew it writes it again. Answers false where something was erased meanwhile, and the file was not kept. */
  writeExport(input: PortabilityInput): Promise<boolean>;
  endExport(input: PortabilityEnd): Promise<void>;
  /** Takes the file of an import in; begun anew it goes on after the last batch. */
  readPortable(input: PortabilityInput): Promise<void>;
  endPortable(input: PortabilityEnd): Promise<void>;
  /** Takes away the files of exports whose time is over. */
  expireExports(): Promise<{ readonly expired: number }>;
}
