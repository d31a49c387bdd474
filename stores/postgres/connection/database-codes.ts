import { z } from 'zod';

const fromDriver = z.object({ cause: z.object({ originalCode: z.string() }) });
const wrapped = z.object({ meta: z.object({ driverAdapterError: fromDriver }) });

/**
 * Codes that an error of the database bears: its own, and the SQLSTATE that Prisma wraps, which of raw statements, and of failures that it has no
 * code for, has no other place.
 */
export function databaseCodes(error: Error): readonly string[] {
  const own: unknown = 'code' in error ? error.code : undefined;
  const inner = wrapped.safeParse(error);
  const driver = inner.success ? inner.data.meta.driverAdapterError : fromDriver.safeParse(error).data;
  return [own, driver?.cause.originalCode].filter((code) => typeof code === 'string');
}

/** Conflicts with another transaction: deadlock, lock not available, unique violation. */
const MET = /^(?:40|55P03|P2034|P2002|23505)/;

/** Returns true if a retry of the transaction would see what the other one wrote. */
export function hasMetAnother(error: unknown): boolean {
  return error instanceof Error && databaseCodes(error).some((code) => MET.test(code));
}

/**
 * Runs a transaction, again if it met another one: PostgreSQL ends one of two that lock the same rows in different orders, and a later one sees what the
 * other wrote.
 */
export async function againIfMet<Result>(attempts: number, run: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (error) {
      if (attempt >= attempts || !hasMetAnother(error)) throw error;
    }
  }
}

/** PostgreSQL's error classes for what is wrong with the data itself: data exception, integrity, program limit. */
const DATA_FAULT = /^(?:22|23|54)/;

/** True if the row itself is faulty, so that a retry is useless; false for deadlocks, timeouts and missing functions. */
export function isDataFault(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && DATA_FAULT.test(error.code);
}
