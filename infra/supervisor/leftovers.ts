import { isAlive, type ProcessIdentity, signalGroup } from './process-identity.ts';
import { waitUntil } from './wait.ts';

export interface Leftover extends ProcessIdentity {
  readonly name: string;
  readonly stopSignal: NodeJS.Signals;
}

const GRACE_MS = 8000;
const KILL_WAIT_MS = 5000;

/**
 * Ends processes of a dead supervisor: first with their stop signal, then by killing their groups. Never ends a
 * later process with the same id. Returns the names of those that were alive.
 */
export async function endLeftovers(leftovers: readonly Leftover[], graceMs: number = GRACE_MS): Promise<string[]> {
  const alive = leftovers.filter(isAlive);
  for (const leftover of alive) signalGroup(leftover.pid, leftover.stopSignal);
  const areEnded = (): boolean => alive.every((leftover) => !isAlive(leftover));
  if (!(await waitUntil(areEnded, { timeoutMs: graceMs }))) {
    for (const leftover of alive) if (isAlive(leftover)) signalGroup(leftover.pid, 'SIGKILL');
    await waitUntil(areEnded, { timeoutMs: KILL_WAIT_MS });
  }
  return alive.map((leftover) => leftover.name);
}
