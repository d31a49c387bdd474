import { expect, test } from 'vitest';
import { toApiError } from '../../../api/errors.ts';
import type { ErrorCode } from '../../../api/errors.ts';
import { Prisma } from '../../../prisma/generated/client.ts';

/** As Prisma throws what its adapter for PostgreSQL met. */
const prisma = (code: string, originalCode?: string): Error =>
  new Prisma.PrismaClientKnownRequestError('words', {
    code,
    clientVersion: '7',
    ...(originalCode !== undefined && {
      meta: { driverAdapterError: Object.assign(new Error('words'), { cause: { originalCode, kind: 'postgres' } }) },
    }),
  });

test.each<[string, Error, ErrorCode]>([
  ['a raw statement in a deadlock', prisma('P2010', '40P01'), 'STORAGE_UNAVAILABLE'],
  ['a raw statement that took too long', prisma('P2010', '57014'), 'STORAGE_UNAVAILABLE'],
  ['a transaction that waited for the api', prisma('P2010', '25P03'), 'STORAGE_UNAVAILABLE'],
  ['a transaction that took too long', prisma('P2010', '25P04'), 'STORAGE_UNAVAILABLE'],
  ['transactions that met', prisma('P2034'), 'STORAGE_UNAVAILABLE'],
  ['no connection in time', prisma('P2024'), 'STORAGE_UNAVAILABLE'],
  [
    'a statement after a restore closed the connection',
    new Error('Client has encountered a connection error and is not queryable'),
    'STORAGE_UNAVAILABLE',
  ],
  ['a raw statement that is wrong', prisma('P2010', '42601'), 'INTERNAL'],
  ['a unique key that is taken', prisma('P2002', '23505'), 'INTERNAL'],
])('%s', (_what, error, code) => {
  expect(toApiError(error)).toMatchObject({ code, message: expect.not.stringContaining('words') });
});
