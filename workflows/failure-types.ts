const PASSING_FAILURES = [
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
  'ArchiveUnavailable',
  'Unexpected',
] as const;

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
export const FAILURE_TYPES = [...PASSING_FAILURES, ...NON_RETRYABLE_FAILURES] as const;
export type FailureType = (typeof FAILURE_TYPES)[number];

/** Failures that another attempt cannot mend. */
export const PERMANENT_FAILURES: readonly FailureType[] = NON_RETRYABLE_FAILURES;

/**
 * Failures that an activity is not tried again for: permanent ones, and a day's tokens that are spent. That is waited for by the workflow, where
 * it is seen and can be cut short, also where midnight is nearer than the activity's bound.
 */
export const NOT_RETRIED: readonly FailureType[] = [...PERMANENT_FAILURES, 'BudgetExhausted'];
