import { pino } from 'pino';
import type { Logger } from 'pino';

/** JSON lines on stdout. What is logged are ids, counts, durations and codes: never content, keys or queries. */
export function createLogger(name: string, level: string): Logger {
  return pino({
    name,
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    // A second guard for what must not be there in the first place.
    redact: {
      paths: [
        'authorization',
        '*.authorization',
        'headers.authorization',
        'password',
        '*.password',
        'apiKey',
        '*.apiKey',
      ],
      censor: '[redacted]',
    },
  });
}

export type { Logger };
