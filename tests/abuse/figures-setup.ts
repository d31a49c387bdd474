import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** File that collects the figures of a run of `npm run test:abuse`. */
    abuseFiguresFile: string;
  }
}

/** Collects the figures that the files of `tests/abuse/` record, and prints them as one JSON line at the end of the run. */
export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'recollect-abuse-'));
  const file = join(folder, 'figures.ndjson');
  writeFileSync(file, '');
  project.provide('abuseFiguresFile', file);
  return () => {
    const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
    const figures: unknown = Object.assign({}, ...lines.map((line): unknown => JSON.parse(line)));
    process.stdout.write(`${JSON.stringify({ bench: 'abuse', ...Object(figures) })}\n`);
    rmSync(folder, { recursive: true, force: true });
  };
}
