import type { RecallFigures } from './figures.ts';

/** The questions about the shared coding sessions. */
export function runCoding(): Promise<RecallFigures> {
  return Promise.resolve({ skipped: 'not measured yet' });
}
