import { pino } from 'pino';
import type { Logger } from 'pino';

/** Lines are gathered up to this size, or for a second: a system call for each costs a busy api a twentieth of its time. */
const GATHER_BYTES = 4_096;
const GATHER_MS = 1_000;

/**
 * JSON lines on stdout; what is gathered is written when the process ends. What is logged are ids, counts, durations and codes: never
 * content, keys or queries.
 */
export function createLogger(name: string, level: string): Logger {
  const options = {
    name,
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    // A second guard for what must not be there in the first place. No wildcards: they look into every line at every field.
    redact: {
      paths: ['authorization', 'headers.authorization', 'req.headers.authorization', 'password', 'apiKey'],
      censor: '[redacted]',
    },
  };
  const lines = pino.destination({ dest: 1, sync: false, minLength: GATHER_BYTES, periodicFlush: GATHER_MS });
  return pino(options, lines);
}

export type { Logger };
