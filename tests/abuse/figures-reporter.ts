import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Reporter, TestModule, Vitest } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** File that collects the figures of a run of `npm run test:abuse`. */
    abuseFiguresFile: string;
  }
}

/** Collects the figures that the files of `tests/abuse/` record, counts the attacks among all tests, and prints one JSON line at the end. */
export class FiguresReporter implements Reporter {
  private readonly folder = mkdtempSync(path.join(tmpdir(), 'recollect-abuse-'));
  private readonly file = path.join(this.folder, 'figures.ndjson');
  private readonly attacks: readonly string[];

  /** `attacks`: paths of test files in which each test is an attack, relative to the repository. */
  constructor(attacks: readonly string[]) {
    this.attacks = attacks;
  }

  onInit(vitest: Vitest): void {
    writeFileSync(this.file, '');
    vitest.provide('abuseFiguresFile', this.file);
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const played = modules
      .filter(({ moduleId }) => this.attacks.some((file) => moduleId.endsWith(`/${file}`)))
      .flatMap((module) => [...module.children.allTests()].map((test) => test.result().state));
    const recorded = readFileSync(this.file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line): unknown => JSON.parse(line));
    const figures: object = Object.assign(
      { bench: 'abuse' },
      played.length === 0
        ? {}
        : { attacks_played: played.length, attacks_succeeded: played.filter((state) => state !== 'passed').length },
      ...recorded,
    );
    process.stdout.write(`${JSON.stringify(figures)}\n`);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
