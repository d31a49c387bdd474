import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import pg from 'pg';
import { BudgetExhausted, ModelBusy } from '../domain/costs/limits.ts';
import { BackupSetError, RestoreError } from '../domain/backup/set-error.ts';
import type { BackupSetErrorKind } from '../domain/backup/set-error.ts';
import { ArchiveStoreError } from '../domain/ports/archive-store.ts';
import type { ArchiveStoreErrorKind } from '../domain/ports/archive-store.ts';
import { EmbedderUnavailable } from '../domain/ports/embedder.ts';
import { ModelError } from '../domain/ports/model.ts';
import type { ModelErrorKind } from '../domain/ports/model.ts';
import { VectorIndexUnavailable } from '../domain/ports/vector-index.ts';
import { Prisma } from '../prisma/generated/client.ts';
import { ClaudeMemSourceError } from '../stores/claude-mem/copy-source.ts';
import { ExportFileError } from './export-import/lines.ts';
import { databaseCodes, hasMetAnother } from '../stores/postgres/connection/database-codes.ts';
import { ErasureIncomplete } from '../stores/postgres/erasure/erasures.ts';
import { TooMuchFound } from '../stores/postgres/erasure/find-text.ts';
import { LegalHoldError } from '../stores/postgres/retention/legal-holds.ts';
import { PERMANENT_FAILURES } from '../workflows/failure-types.ts';
import type { FailureType } from '../workflows/failure-types.ts';

const MODEL_FAILURES: Readonly<Record<ModelErrorKind, FailureType>> = {
  rate_limited: 'ProviderRateLimited',
  overloaded: 'ProviderOverloaded',
  timeout: 'ProviderUnavailable',
  unavailable: 'ProviderUnavailable',
  unauthorised: 'ProviderUnauthorised',
  invalid_request: 'ModelInputInvalid',
  refused: 'ModelRefused',
  truncated: 'ModelOutputInvalid',
  invalid_output: 'ModelOutputInvalid',
};

const ARCHIVE_FAILURES: Readonly<Record<ArchiveStoreErrorKind, FailureType>> = {
  missing: 'ArchiveMissing',
  full: 'ArchiveFull',
  refused: 'ArchiveRefused',
  unavailable: 'ArchiveUnavailable',
};

const SET_FAILURES: Readonly<Record<BackupSetErrorKind, FailureType>> = {
  missing: 'BackupMissing',
  damaged: 'BackupCorrupted',
  no_key: 'BackupKeyMissing',
  untrusted: 'BackupUntrusted',
  newer: 'BackupVersionUnsupported',
};

/** Something asks for a setting that nobody gave. The message names it. */
export class NotConfigured extends Error {
  override readonly name = 'NotConfigured';
}

/** SQLSTATE classes and Prisma codes of a database that is away, starting, stopping or full, or (3D000, 55000) has its place taken by a restored one. */
const AWAY = /^(?:08|3D000|53|55000|57|58|P1|P2024|P2028|P2037)/;
const NETWORK = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH']);

/** The type of a model error, where a window's fate depends on it. */
export function modelFailureType(error: ModelError): FailureType {
  return MODEL_FAILURES[error.kind];
}

function codeOf(error: Error): string {
  const code: unknown = 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

/** Whether no further attempt can mend it, so that a window is set aside for it. */
export function isPermanent(error: ModelError): boolean {
  return PERMANENT_FAILURES.includes(modelFailureType(error));
}

/** Why a window is set aside: the type of the failure, then words that hold nothing captured. */
export function parkedReason(error: ModelError): string {
  return `${modelFailureType(error)}: ${error.message}`;
}

/** What went wrong, as one of the closed types. */
export function failureType(error: unknown): FailureType {
  if (error instanceof ModelError) return MODEL_FAILURES[error.kind];
  if (error instanceof BudgetExhausted) return 'BudgetExhausted';
  if (error instanceof ModelBusy) return 'ModelBusy';
  if (error instanceof EmbedderUnavailable) return 'EmbedderUnavailable';
  if (error instanceof VectorIndexUnavailable) return 'VectorIndexUnavailable';
  if (error instanceof ArchiveStoreError) return ARCHIVE_FAILURES[error.kind];
  if (error instanceof BackupSetError) return SET_FAILURES[error.kind];
  if (error instanceof NotConfigured) return 'NotConfigured';
  if (error instanceof LegalHoldError) return 'ErasureHeld';
  if (error instanceof TooMuchFound) return 'ErasureTooLarge';
  if (error instanceof ErasureIncomplete) return 'ErasureIncomplete';
  if (error instanceof ExportFileError) return 'ExportFileError';
  if (error instanceof RestoreError) return error.kind === 'refused' ? 'RestoreRefused' : 'RestoreVerificationFailed';
  if (error instanceof ClaudeMemSourceError && error.code !== 'BUSY') return 'ImportUnreadable';
  if (error instanceof Prisma.PrismaClientInitializationError) return 'DatabaseUnavailable';
  if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2025') return 'SessionMissing';
  // What lies in the store is no longer what was written: no attempt mends that.
  if (error instanceof Error && error.name === 'ArchiveDamaged') return 'ArchiveDamaged';
  // What the Temporal client throws for every refused or unanswered call.
  if (error instanceof Error && error.name === 'ServiceError') return 'TemporalUnavailable';
  if (error instanceof Error) {
    if (databaseCodes(error).some((code) => NETWORK.has(code) || AWAY.test(code))) return 'DatabaseUnavailable';
    if (hasMetAnother(error)) return 'DatabaseConflict';
    if (error instanceof pg.DatabaseError) return 'Unexpected';
    if (
      /connection terminated|connection error and is not queryable|timeout exceeded when trying to connect|server has closed the connection/i.test(
        error.message,
      )
    )
      return 'DatabaseUnavailable';
  }
  return 'Unexpected';
}

/** Whether it is the database's, and passes by itself: it was away for a moment, or transactions met. */
export function isPassing(error: unknown): boolean {
  const type = failureType(error);
  return type === 'DatabaseUnavailable' || type === 'DatabaseConflict';
}

/** How long to wait before the next attempt, where somebody knows: the provider, or the day's end. Milliseconds. */
function retryAfter(error: unknown): number | undefined {
  if (error instanceof BudgetExhausted) return error.waitMs;
  return error instanceof ModelError || error instanceof EmbedderUnavailable ? error.retryAfterMs : undefined;
}

/** Messages of errors can hold captured text (a refused value, a query): histories get only what is known to be free of it. */
function safeMessage(error: unknown, type: FailureType): string {
  if (error instanceof ModelError || error instanceof EmbedderUnavailable || error instanceof VectorIndexUnavailable)
    return error.message;
  if (error instanceof BudgetExhausted || error instanceof ModelBusy) return error.message;
  if (error instanceof ArchiveStoreError || error instanceof BackupSetError || error instanceof NotConfigured)
    return error.message;
  if (error instanceof RestoreError || error instanceof ExportFileError || error instanceof LegalHoldError)
    return error.message;
  if (error instanceof TooMuchFound || error instanceof ErasureIncomplete) return error.message;
  if (error instanceof Error) return [type, error.name, codeOf(error)].filter((part) => part !== '').join(' ');
  return type;
}

/**
 * Any error of an activity as a typed failure: with a type from the closed union, not retried where that is of no use, and with the
 * provider's `retry-after` as the delay before the next attempt. Cancellation and failures that are typed already pass through.
 */
export function toFailure(error: unknown): ApplicationFailure | CancelledFailure {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  const type = failureType(error);
  const retryAfterMs = retryAfter(error);
  return ApplicationFailure.create({
    type,
    message: safeMessage(error, type),
    nonRetryable: PERMANENT_FAILURES.includes(type),
    details: retryAfterMs === undefined ? [] : [retryAfterMs],
    ...(retryAfterMs === undefined ? {} : { nextRetryDelay: retryAfterMs }),
  });
}

type Activity = (input: never) => Promise<unknown>;

/** Wraps every activity of a group so that whatever it throws is a typed failure. The group's own type is kept. */
export function withFailures<Group extends object>(group: Group & Record<keyof Group, Activity>): Group {
  const wrapped = Object.entries<Activity>(group).map(([name, activity]) => [
    name,
    async (input: never): Promise<unknown> => {
      try {
        return await activity(input);
      } catch (error) {
        // An I/O that the activity's own signal ended: the SDK knows it as the cancellation that it is.
        if (error instanceof Error && error.name === 'AbortError') throw error;
        throw toFailure(error);
      }
    },
  ]);
  return Object.assign({}, group, Object.fromEntries(wrapped));
}
