import type { RecallFigures } from './figures.ts';
import { say, selected } from './command-line.ts';

// Quality and speed of search. Prints one JSON line; progress goes to stderr.
// `--only longmemeval,coding` selects parts. A part without local data returns `skipped`.

/** Parts are loaded on demand: each has its own instance. */
const PARTS: Readonly<Record<string, () => Promise<RecallFigures>>> = {
  longmemeval: async () => (await import('./recall/longmemeval.ts')).runLongMemEval(),
  index: async () => (await import('./recall/index-rate.ts')).runIndexRate(),
  coding: async () => (await import('./recall/coding.ts')).runCoding(),
  weights: async () => (await import('./recall/weights.ts')).runWeights(),
  calibration: async () => (await import('./recall/calibration.ts')).runCalibration(),
  context: async () => (await import('./recall/context.ts')).runContext(),
  speed: async () => (await import('./recall/speed.ts')).runSpeed(),
};

async function main(): Promise<void> {
  const figures: Record<string, RecallFigures> = {};
  const missed: string[] = [];
  for (const name of selected(Object.keys(PARTS))) {
    say(name);
    const part = await PARTS[name]?.();
    if (part === undefined) continue;
    figures[name] = part;
    missed.push(...(part.missed ?? []).map((target) => `${name}: ${target}`));
  }
  process.stdout.write(`${JSON.stringify({ bench: 'recall', ...figures })}\n`);
  for (const target of missed) say(`target missed: ${target}`);
}

await main();
