import type { Progress } from '../../infra/supervisor/progress.ts';
import type { Output } from '../output.ts';
import { CLEAR_LINE } from './terminal-text.ts';

/** Interval of progress lines without a terminal. */
const PLAIN_LINE_EVERY_MS = 5000;

export interface TerminalProgress extends Progress {
  /** Clears the redrawn line so that other output can follow. */
  clear(): void;
}

/**
 * Shows steps: on a terminal one redrawn line with all active steps, else plain lines at most every 5 s.
 * Completed steps remain as lines. `verbose` writes every update as a line.
 */
export function terminalProgress(
  output: Output,
  options: { readonly verbose: boolean; readonly now?: () => number },
): TerminalProgress {
  const now = options.now ?? (() => performance.now());
  const active = new Map<string, string>();
  const lastLine = new Map<string, number>();
  const redraws = output.columns !== null && !options.verbose;

  const clear = (): void => {
    if (redraws) output.out(CLEAR_LINE);
  };
  const draw = (): void => {
    if (!redraws) return;
    const text = [...active].map(([name, doing]) => (doing === '' ? name : `${name}: ${doing}`)).join(' | ');
    output.out(`${CLEAR_LINE}${text.slice(0, (output.columns ?? 80) - 1)}`);
  };
  const line = (mark: string, name: string, text: string | undefined): void => {
    clear();
    output.out(`${mark} ${name}${text === undefined || text === '' ? '' : `: ${text}`}\n`);
  };
  const end = (name: string, mark: string, text: string | undefined): void => {
    active.delete(name);
    lastLine.delete(name);
    line(mark, name, text);
    draw();
  };

  return {
    clear,
    step: (name) => ({
      update: (text) => {
        active.set(name, text);
        const last = lastLine.get(name);
        const due = last === undefined || now() - last >= PLAIN_LINE_EVERY_MS;
        if (!redraws && (options.verbose || due)) {
          lastLine.set(name, now());
          line('.', name, text);
        }
        draw();
      },
      done: (text) => end(name, '+', text),
      fail: (text) => end(name, 'x', text),
    }),
  };
}
