import type { RestoreCounts } from '../../stores/postgres/backups/restores.ts';

/** How often progress is written. */
const NOTE_MS = 1_000;

/** Notes progress once in a while; a note that fails is made up for by the next one. */
export function progressNoter(note: (counts: RestoreCounts) => Promise<void>): (counts: RestoreCounts) => void {
  let last = -Infinity;
  return (counts) => {
    if (performance.now() - last < NOTE_MS) return;
    last = performance.now();
    void note(counts).catch(() => undefined);
  };
}
