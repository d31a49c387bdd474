import { shuffled } from '../domain/support/random.ts';

/** Each process is killed so often. */
export const KILLS_EACH = 2;

export interface PlannedKill<Service> {
  readonly service: Service;
  /** Of the run. */
  readonly atMs: number;
}

/** Returns the kills of all services, {@link KILLS_EACH} each, in random order, each at a random moment of its equal part of the time. */
export function killPlan<Service>(
  services: readonly Service[],
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  random: () => number,
): PlannedKill<Service>[] {
  const order = shuffled(Array.from({ length: KILLS_EACH }, () => services).flat(), random);
  const partMs = (toMs - fromMs) / order.length;
  // The later half of each part remains for the recovery.
  return order.map((service, n) => ({ service, atMs: fromMs + partMs * (n + random() / 2) }));
}
