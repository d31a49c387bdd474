import { ApplicationFailure } from '@temporalio/common';
import pg from 'pg';
import { describe, expect, it, test } from 'vitest';
import { failureType, modelFailureType, NotConfigured, projectFrames, toFailure } from '../../activities/failures.ts';
import { ArchiveDamaged } from '../../activities/retention/archive-object.ts';
import { BudgetExhausted, ModelBusy } from '../../domain/costs/limits.ts';
import { BackupSetError, RestoreError } from '../../domain/backup/sets.ts';
import type { BackupSetErrorKind } from '../../domain/backup/sets.ts';
import { ArchiveStoreError } from '../../domain/ports/archive-store.ts';
import type { ArchiveStoreErrorKind } from '../../domain/ports/archive-store.ts';
import { EmbedderUnavailable } from '../../domain/ports/embedder.ts';
import { ModelError } from '../../domain/ports/model.ts';
import type { ModelErrorKind } from '../../domain/ports/model.ts';
import { VectorIndexUnavailable } from '../../domain/ports/vector-index.ts';
import { Prisma } from '../../prisma/generated/client.ts';
import { ClaudeMemSourceError } from '../../stores/claude-mem/copy-source.ts';
import { ExportFileError } from '../../activities/export-import/lines.ts';
import { ErasureIncomplete } from '../../stores/postgres/erasure/erasures.ts';
import { TooMuchFound } from '../../stores/postgres/erasure/find-text.ts';
import { LegalHoldError } from '../../stores/postgres/retention/legal-holds.ts';
import { FAILURE_TYPES, PERMANENT_FAILURES } from '../../workflows/failure-types.ts';
import type { FailureType } from '../../workflows/failure-types.ts';

const CONTENT = 'hunter2 captured text';

const coded = (code: unknown): Error => Object.assign(new Error(CONTENT), { code });
const database = (code: string): Error => Object.assign(new pg.DatabaseError(CONTENT, 0, 'error'), { code });
const prisma = (code: string): Error => new Prisma.PrismaClientKnownRequestError(CONTENT, { code, clientVersion: '7' });

/** Returns an error as Prisma throws those of its PostgreSQL adapter. */
const raw = (code: string, originalCode: string): Error =>
  new Prisma.PrismaClientKnownRequestError(CONTENT, {
    code,
    clientVersion: '7',
    meta: { driverAdapterError: Object.assign(new Error(CONTENT), { cause: { originalCode, kind: 'postgres' } }) },
  });

const MODEL_KINDS: readonly [ModelErrorKind, FailureType, 'retried' | 'given up'][] = [
  ['rate_limited', 'ProviderRateLimited', 'retried'],
  ['overloaded', 'ProviderOverloaded', 'retried'],
  ['timeout', 'ProviderUnavailable', 'retried'],
  ['unavailable', 'ProviderUnavailable', 'retried'],
  ['unauthorised', 'ProviderUnauthorised', 'retried'],
  ['invalid_request', 'ModelInputInvalid', 'given up'],
  ['refused', 'ModelRefused', 'given up'],
  ['truncated', 'ModelOutputInvalid', 'given up'],
  ['invalid_output', 'ModelOutputInvalid', 'given up'],
];

const ARCHIVE_KINDS: readonly [ArchiveStoreErrorKind, FailureType, 'retried' | 'given up'][] = [
  ['unavailable', 'ArchiveUnavailable', 'retried'],
  ['full', 'ArchiveFull', 'given up'],
  ['refused', 'ArchiveRefused', 'given up'],
  ['missing', 'ArchiveMissing', 'given up'],
];

const SET_KINDS: readonly [BackupSetErrorKind, FailureType][] = [
  ['missing', 'BackupMissing'],
  ['damaged', 'BackupCorrupted'],
  ['no_key', 'BackupKeyMissing'],
  ['untrusted', 'BackupUntrusted'],
  ['newer', 'BackupVersionUnsupported'],
];

/** Every error of an activity: its failure type, and whether it is retried. */
const TABLE: readonly [string, unknown, FailureType, 'retried' | 'given up'][] = [
  ...MODEL_KINDS.map(([kind, type, fate]): [string, unknown, FailureType, 'retried' | 'given up'] => [
    `model: ${kind}`,
    new ModelError(kind, 'status 1'),
    type,
    fate,
  ]),
  [
    'a Temporal that does not respond',
    Object.assign(new Error(CONTENT), { name: 'ServiceError' }),
    'TemporalUnavailable',
    'retried',
  ],
  ...ARCHIVE_KINDS.map(([kind, type, fate]): [string, unknown, FailureType, 'retried' | 'given up'] => [
    `archive store: ${kind}`,
    new ArchiveStoreError(kind, 'sets/1'),
    type,
    fate,
  ]),
  ...SET_KINDS.map(([kind, type]): [string, unknown, FailureType, 'retried' | 'given up'] => [
    `backup set: ${kind}`,
    new BackupSetError(kind, 'a set'),
    type,
    'given up',
  ]),
  ['a restore over memory', new RestoreError('refused', 'no'), 'RestoreRefused', 'given up'],
  ['a restore that differs', new RestoreError('unproved', 'no'), 'RestoreVerificationFailed', 'given up'],
  ['an erasure under a legal hold', new LegalHoldError('no'), 'ErasureHeld', 'given up'],
  ['an erasure of a text that is everywhere', new TooMuchFound(), 'ErasureTooLarge', 'given up'],
  ['an erasure that is outrun', new ErasureIncomplete('no'), 'ErasureIncomplete', 'given up'],
  ['a file that is no export', new ExportFileError('damaged', 'no'), 'ExportFileError', 'given up'],
  ['a setting that is not given', new NotConfigured('RECOLLECT_BACKUP_STORE'), 'NotConfigured', 'given up'],
  ['a file that is no database', new ClaudeMemSourceError('NO_DATABASE', CONTENT), 'ImportUnreadable', 'given up'],
  ['a file that is written to all the time', new ClaudeMemSourceError('BUSY', CONTENT), 'Unexpected', 'retried'],
  ['no place among the calls', new ModelBusy(), 'ModelBusy', 'retried'],
  ['no embedder', new EmbedderUnavailable('no model files'), 'EmbedderUnavailable', 'retried'],
  ['no vector index', new VectorIndexUnavailable('unavailable'), 'VectorIndexUnavailable', 'retried'],
  [
    'Prisma that cannot start',
    new Prisma.PrismaClientInitializationError(CONTENT, '7'),
    'DatabaseUnavailable',
    'retried',
  ],
  ['a missing row', prisma('P2025'), 'SessionMissing', 'given up'],
  ['an archive that is another than was written', new ArchiveDamaged('damaged'), 'ArchiveDamaged', 'given up'],
  ['a server out of reach', prisma('P1001'), 'DatabaseUnavailable', 'retried'],
  ['a closed connection', prisma('P1017'), 'DatabaseUnavailable', 'retried'],
  ['a pool that is empty', prisma('P2024'), 'DatabaseUnavailable', 'retried'],
  ['too many connections', prisma('P2037'), 'DatabaseUnavailable', 'retried'],
  ['a transaction that took too long', prisma('P2028'), 'DatabaseUnavailable', 'retried'],
  ['a raw statement of a server that stops', raw('P2010', '57P01'), 'DatabaseUnavailable', 'retried'],
  ['a raw statement in a deadlock', raw('P2010', '40P01'), 'DatabaseConflict', 'retried'],
  ['a failure that Prisma has no code for', raw('P2039', '57P01'), 'DatabaseUnavailable', 'retried'],
  ['a raw statement that is wrong', raw('P2010', '22P02'), 'Unexpected', 'retried'],
  ['transactions that met', prisma('P2034'), 'DatabaseConflict', 'retried'],
  ['a unique key conflict', prisma('P2002'), 'DatabaseConflict', 'retried'],
  ['another error of Prisma', prisma('P2003'), 'Unexpected', 'retried'],
  ['connection lost', database('08006'), 'DatabaseUnavailable', 'retried'],
  ['disk full', database('53100'), 'DatabaseUnavailable', 'retried'],
  ['too many clients', database('53300'), 'DatabaseUnavailable', 'retried'],
  ['statement ended', database('57014'), 'DatabaseUnavailable', 'retried'],
  ['server stops', database('57P01'), 'DatabaseUnavailable', 'retried'],
  ['server starts', database('57P03'), 'DatabaseUnavailable', 'retried'],
  ['disk broken', database('58030'), 'DatabaseUnavailable', 'retried'],
  ['serialisation', database('40001'), 'DatabaseConflict', 'retried'],
  ['deadlock', database('40P01'), 'DatabaseConflict', 'retried'],
  ['lock not had', database('55P03'), 'DatabaseConflict', 'retried'],
  ['duplicate key', database('23505'), 'DatabaseConflict', 'retried'],
  ['foreign key', database('23503'), 'Unexpected', 'retried'],
  ['text refused', database('22021'), 'Unexpected', 'retried'],
  ['policy', database('42501'), 'Unexpected', 'retried'],
  [
    'an error whose text only looks like a lost connection',
    Object.assign(new pg.DatabaseError('Connection terminated', 0, 'error'), { code: 'P0001' }),
    'Unexpected',
    'retried',
  ],
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH'].map(
    (code): [string, unknown, FailureType, 'retried'] => [code, coded(code), 'DatabaseUnavailable', 'retried'],
  ),
  [
    'a pool without a connection in time',
    new Error('timeout exceeded when trying to connect'),
    'DatabaseUnavailable',
    'retried',
  ],
  ['a connection that ended', new Error('Connection terminated unexpectedly'), 'DatabaseUnavailable', 'retried'],
  [
    'a connection that was lost meanwhile',
    new Error('Client has encountered a connection error and is not queryable'),
    'DatabaseUnavailable',
    'retried',
  ],
  ['a file that is missing', coded('ENOENT'), 'Unexpected', 'retried'],
  ['a code that is no text', coded(8), 'Unexpected', 'retried'],
  ['any error', new TypeError(CONTENT), 'Unexpected', 'retried'],
  ['a thrown text', CONTENT, 'Unexpected', 'retried'],
  ['nothing', undefined, 'Unexpected', 'retried'],
  ['null', null, 'Unexpected', 'retried'],
];

describe('every error', () => {
  it.each(TABLE)('%s', (_, error, type, fate) => {
    expect(failureType(error)).toBe(type);
    const failure = toFailure(error);
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({ type, nonRetryable: fate === 'given up', details: [] });
    expect('nextRetryDelay' in failure ? failure.nextRetryDelay : null).toBeUndefined();
  });

  it.each(TABLE)('%s: excludes captured text from the history', (_, error) => {
    const failure = toFailure(error);
    expect(failure.message).not.toBe('');
    expect(failure.message).not.toContain('hunter2');
    expect(failure.cause).toBeUndefined();
    expect(failure.stack ?? '').not.toContain('hunter2');
  });

  it.each(MODEL_KINDS)('modelFailureType of %s is %s', (kind, type) => {
    expect(modelFailureType(new ModelError(kind, 'x'))).toBe(type);
  });

  it('has a message with its type and code', () => {
    expect(toFailure(database('40P01')).message).toBe('DatabaseConflict DatabaseError 40P01');
    expect(toFailure(raw('P2010', '22P05')).message).toBe('Unexpected PrismaClientKnownRequestError P2010 22P05');
    expect(toFailure(new Error(CONTENT, { cause: coded('ENOENT') })).message).toBe('Unexpected Error Error ENOENT');
    expect(toFailure(new TypeError(CONTENT)).message).toBe('Unexpected TypeError');
    expect(toFailure(CONTENT).message).toBe('Unexpected');
    expect(toFailure(new ModelError('overloaded', 'status 529')).message).toBe('status 529');
  });
});

describe('frames of a cause', () => {
  const frame = `\n    at work (${new URL('../../stores/hunter2.ts', import.meta.url).href}:1:1)`;
  const own = expect.stringMatching(/^tests\/activities\/failures\.test\.ts:\d+$/u);

  it('name files and lines of this project, also of the failure', () => {
    const error = new Error(CONTENT);
    expect(projectFrames(error)).toContainEqual(own);
    expect(projectFrames(error).join(' ')).not.toContain('node_modules');
    expect(projectFrames(toFailure(error))).toEqual(projectFrames(error));
  });

  it('are not taken from a message that imitates them', () => {
    const error = new Error(`${CONTENT}${frame}`);
    expect(projectFrames(error)).toEqual([own, ...projectFrames(error).slice(1)]);
    expect(toFailure(error).stack).not.toContain('hunter2');
    error.message = 'changed';
    expect(projectFrames(error)).toEqual([]);
  });
});

describe('the closed union', () => {
  it('lists each type once, with some as non-retryable', () => {
    expect(new Set(FAILURE_TYPES).size).toBe(FAILURE_TYPES.length);
    expect(FAILURE_TYPES).toEqual(expect.arrayContaining([...PERMANENT_FAILURES]));
  });

  it('is covered by the table', () => {
    // The daily budget is tested with its delay, below; the interceptor throws `Deferred` itself.
    const reached = new Set([...TABLE.map(([, , type]) => type), 'BudgetExhausted', 'Deferred']);
    expect(FAILURE_TYPES.filter((type) => !reached.has(type))).toEqual([]);
  });
});

test('waits for the time in BudgetExhausted', () => {
  expect(toFailure(new BudgetExhausted(5_000))).toMatchObject({
    type: 'BudgetExhausted',
    message: 'the daily tokens of the user are spent',
    nonRetryable: false,
    nextRetryDelay: 5_000,
    details: [5_000],
  });
});

describe('retry-after', () => {
  it.each([0, 1, 1_500, 3_600_000])('of %i ms becomes the retry delay and a detail of the failure', (retryAfterMs) => {
    const failure = toFailure(new ModelError('rate_limited', 'status 429', { retryAfterMs }));
    expect(failure).toMatchObject({
      type: 'ProviderRateLimited',
      nonRetryable: false,
      nextRetryDelay: retryAfterMs,
      details: [retryAfterMs],
    });
  });
});
