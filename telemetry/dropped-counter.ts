import { Counter } from 'prom-client';
import type { Registry } from 'prom-client';

/** Counts spans that did not reach the collector. */
export function createDroppedCounter(registers: Registry[]): Counter {
  return new Counter({
    name: 'recollect_telemetry_dropped_total',
    help: 'Spans that were dropped because the collector was unavailable, slow or refused them',
    registers,
  });
}
