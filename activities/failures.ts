import { fileURLToPath } from 'node:url';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import pg from 'pg';
import { BudgetExhausted, ModelBusy } from '../domain/costs/limits.ts';
import { BackupSetError, RestoreError } from '../domain/backup/sets.ts';
import type { BackupSetErrorKind } from '../domain/backup/sets.ts';
import { ArchiveStoreError } from '../domain/ports/archive-store.ts';
import type { ArchiveStoreErrorKind } from '../domain/ports/archive-store.ts';
import { EmbedderUnavailable } from '../domain/ports/embedder.ts';
import { ModelError } from '../domain/ports/model.ts';
import type { ModelErrorKind } from '../domain/ports/model.ts';
import { stackLines } from '../domain/stack-lines.ts';
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

/** A required setting is missing. The message names it. */
export class NotConfigured extends Error {
  override readonly name = 'NotConfigured';
}

/** SQLSTATE classes and Prisma codes of a database that is unavailable, starting, stopping, full, or (3D000, 55000) being replaced by a restore. */
const UNAVAILABLE = /^(?:08|3D000|53|55000|57|58|P1|P2024|P2028|P2037)/;
const NETWORK = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH']);

/** Returns the failure type of a model error. */
export function modelFailureType(error: ModelError): FailureType {
  return MODEL_FAILURES[error.kind];
}

/** Returns the class and the codes of an error, or of its cause if it has none. */
function classAndCodes(error: Error): readonly string[] {
  const isPlain = error.name === 'Error' || error.name === 'error';
  const codes = [...new Set(databaseCodes(error))];
  const cause = codes.length === 0 && error.cause instanceof Error ? classAndCodes(error.cause) : [];
  return [isPlain ? error.constructor.name : error.name, ...codes, ...cause];
}

const ROOT = new URL('..', import.meta.url);
const FRAME = /^(?!node_modules\/)[\w/.-]+\.[jt]s:\d+(?=(?::\d+)?\)?$)/u;

/** Returns `file:line` of the frames of an error within this project, the innermost first; nothing of its message. */
export function projectFrames(error: Error): readonly string[] {
  return stackLines(error).flatMap((line) => {
    const at = [ROOT.href, fileURLToPath(ROOT)].find((root) => line.includes(root));
    return at === undefined ? [] : (FRAME.exec(line.slice(line.indexOf(at) + at.length))?.[0] ?? []);
  });
}

/** Returns true if retries cannot succeed, so that the window is parked. */
export function isPermanent(error: ModelError): boolean {
  return PERMANENT_FAILURES.includes(modelFailureType(error));
}

/** Returns the reason of a parked window: failure type and message, without captured text. */
export function parkedReason(error: ModelError): string {
  return `${modelFailureType(error)}: ${error.message}`;
}

/** Maps an error to a type of the closed union. */
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
  // The stored object is corrupted: retries cannot succeed.
  if (error instanceof Error && error.name === 'ArchiveDamaged') return 'ArchiveDamaged';
  // The Temporal client throws it for every rejected or unanswered call.
  if (error instanceof Error && error.name === 'ServiceError') return 'TemporalUnavailable';
  if (error instanceof Error) {
    if (databaseCodes(error).some((code) => NETWORK.has(code) || UNAVAILABLE.test(code))) return 'DatabaseUnavailable';
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

/** Returns true for transient database errors: unavailable or conflicting transactions. */
export function isPassing(error: unknown): boolean {
  const type = failureType(error);
  return type === 'DatabaseUnavailable' || type === 'DatabaseConflict';
}

/** Returns the delay before the next attempt, milliseconds, if the provider or the daily budget defines it. */
function retryAfter(error: unknown): number | undefined {
  if (error instanceof BudgetExhausted) return error.waitMs;
  return error instanceof ModelError || error instanceof EmbedderUnavailable ? error.retryAfterMs : undefined;
}

/** Returns a message without captured text, which errors may contain (a rejected value, a query). */
function safeMessage(error: unknown, type: FailureType): string {
  if (error instanceof ModelError || error instanceof EmbedderUnavailable || error instanceof VectorIndexUnavailable)
    return error.message;
  if (error instanceof BudgetExhausted || error instanceof ModelBusy) return error.message;
  if (error instanceof ArchiveStoreError || error instanceof BackupSetError || error instanceof NotConfigured)
    return error.message;
  if (error instanceof RestoreError || error instanceof ExportFileError || error instanceof LegalHoldError)
    return error.message;
  if (error instanceof TooMuchFound || error instanceof ErasureIncomplete) return error.message;
  if (error instanceof Error) return [type, ...classAndCodes(error)].join(' ');
  return type;
}

/**
 * Converts an error to a typed failure, non-retryable if permanent, with the provider's `retry-after` as retry delay. Cancellations and typed
 * failures are returned unchanged.
 */
export function toFailure(error: unknown): ApplicationFailure | CancelledFailure {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  const type = failureType(error);
  const retryAfterMs = retryAfter(error);
  const message = safeMessage(error, type);
  const failure = ApplicationFailure.create({
    type,
    message,
    nonRetryable: PERMANENT_FAILURES.includes(type),
    details: retryAfterMs === undefined ? [] : [retryAfterMs],
    ...(retryAfterMs === undefined ? {} : { nextRetryDelay: retryAfterMs }),
  });
  // Of the cause, not of this conversion.
  if (error instanceof Error)
    failure.stack = [message, ...projectFrames(error).map((frame) => `    at ${ROOT.href}${frame}`)].join('\n');
  return failure;
}
