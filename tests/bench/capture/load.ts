import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';

const PROCESS = fileURLToPath(new URL('load-process.ts', import.meta.url));

export const loadSpec = z.object({
  port: z.number().int(),
  path: z.string(),
  key: z.string(),
  /** Names the sessions. */
  name: z.string(),
  clients: z.number().int().min(1).max(256),
  /** Events per request. */
  batch: z.number().int().min(1).max(1_000),
  form: z.enum(['event', 'array', 'lines']),
  sessionsPerClient: z.number().int().min(1).max(1_000),
  firstNumber: z.number().int(),
  warmUpMs: z.number(),
  measureMs: z.number().max(120_000),
});
export type LoadSpec = z.output<typeof loadSpec>;

const loadFigures = z.object({
  accepted_per_s: z.number(),
  accepted: z.number(),
  refused: z.number(),
  /** Events of the complete run, warm-up included. */
  sent: z.number(),
  p50_ms: z.number(),
  p99_ms: z.number(),
  requests: z.number(),
});
export type LoadFigures = z.output<typeof loadFigures>;

let numbered = 0;
/** More events than one run sends. */
const RUN_EVENTS = 10_000_000;

/** Runs the load generator as a separate process and returns its measurements. Every run numbers its events separately. */
export async function runLoad(spec: Omit<LoadSpec, 'firstNumber'>): Promise<LoadFigures> {
  const firstNumber = numbered;
  numbered += RUN_EVENTS;
  const { stdout } = await promisify(execFile)(process.execPath, [PROCESS, JSON.stringify({ ...spec, firstNumber })]);
  return loadFigures.parse(JSON.parse(stdout));
}
