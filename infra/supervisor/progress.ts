/** A long operation with visible progress. */
export interface ProgressStep {
  update(text: string): void;
  done(text?: string): void;
  fail(text: string): void;
}

/** Progress of long operations; the CLI renders it. */
export interface Progress {
  step(name: string): ProgressStep;
}

/** Discards progress. */
export const silentProgress: Progress = {
  step: () => ({ update: () => undefined, done: () => undefined, fail: () => undefined }),
};
