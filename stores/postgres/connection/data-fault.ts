/** PostgreSQL's error classes for what is wrong with the data itself: data exception, integrity, program limit. */
const DATA_FAULT = /^(?:22|23|54)/;

/** True if the row itself is faulty, so that a retry is useless; false for deadlocks, timeouts and missing functions. */
export function isDataFault(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && DATA_FAULT.test(error.code);
}
