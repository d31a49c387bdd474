import type { Progress } from '../../../infra/supervisor/progress.ts';

/** Collects progress as lines of `name: event text`. */
export function recordProgress(): Progress & { readonly lines: string[] } {
  const lines: string[] = [];
  const note = (name: string, event: string) => (text?: string) =>
    void lines.push(`${name}: ${event}${text ? ` ${text}` : ''}`);
  return {
    lines,
    step: (name) => ({ update: note(name, 'update'), done: note(name, 'completed'), fail: note(name, 'fail') }),
  };
}
