/** PostgreSQL's error classes for what is wrong with the data itself: data exception, integrity, program limit. */
const DATA_FAULT = /^(?:22|23|54)/;

/** Only then is the row at fault, and sending it again in vain: a deadlock, a timeout or a missing function is ours. */
export function isDataFault(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && DATA_FAULT.test(error.code);
}
