/** Transient failures of a model step. */
const MODEL_STEP_FAILURES = [
  'ProviderRateLimited',
  'ProviderOverloaded',
  'ProviderUnavailable',
  'ProviderUnauthorised',
  'BudgetExhausted',
  'ModelBusy',
  'DatabaseUnavailable',
  'DatabaseConflict',
  'VectorIndexUnavailable',
  'EmbedderUnavailable',
  'TemporalUnavailable',
  'Unexpected',
] as const;

/** `Deferred`: a step within a workflow task that is repeated as an activity, which waits for the end of a burst. */
const TRANSIENT_FAILURES = [...MODEL_STEP_FAILURES, 'ArchiveUnavailable', 'Deferred'] as const;

const NON_RETRYABLE_FAILURES = [
  'ModelOutputInvalid',
  'ModelRefused',
  'ModelInputInvalid',
  'SessionMissing',
  'ArchiveFull',
  'ArchiveRefused',
  'ArchiveMissing',
  'BackupMissing',
  'BackupCorrupted',
  'BackupKeyMissing',
  'BackupUntrusted',
  'BackupVersionUnsupported',
  'NotConfigured',
  'RestoreRefused',
  'RestoreVerificationFailed',
  'ArchiveDamaged',
  'ImportUnreadable',
  'ErasureHeld',
  'ErasureTooLarge',
  'ErasureIncomplete',
  'ExportFileError',
] as const;

/** Every way an activity fails, by the `type` of its ApplicationFailure. Closed; `activities/failures.ts` maps errors to it. */
export const FAILURE_TYPES = [...TRANSIENT_FAILURES, ...NON_RETRYABLE_FAILURES] as const;
export type FailureType = (typeof FAILURE_TYPES)[number];

/** Failures that no attempt repairs. `activities/failures.ts` marks them as non-retryable: no retry policy lists them again. */
export const PERMANENT_FAILURES: readonly FailureType[] = NON_RETRYABLE_FAILURES;

/** Everything that a session waits for. `docs/runbooks/stuck-workflow.md` explains each. */
export const WAITING_REASONS = [...MODEL_STEP_FAILURES, 'StepTimeout', 'BatchPending'] as const;
export type WaitingReason = (typeof WAITING_REASONS)[number];
