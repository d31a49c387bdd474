import { appendFileSync } from 'node:fs';
import { inject } from 'vitest';

/** Adds a figure to the JSON line that `npm run test:abuse` prints. The name carries the unit, such as `loop_pause_max_ms`. */
export function recordFigure(name: string, value: number | string): void {
  appendFileSync(inject('abuseFiguresFile'), `${JSON.stringify({ [name]: value })}\n`);
}
