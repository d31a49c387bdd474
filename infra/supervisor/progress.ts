/** One thing that takes a while and is shown to whoever waits. */
export interface ProgressStep {
  update(text: string): void;
  done(text?: string): void;
  fail(text: string): void;
}

/** Where long operations say what they do. The terminal renderer lives in the command line; tests collect lines. */
export interface Progress {
  step(name: string): ProgressStep;
}

/** Shows nothing. */
export const silentProgress: Progress = {
  step: () => ({ update: () => undefined, done: () => undefined, fail: () => undefined }),
};
