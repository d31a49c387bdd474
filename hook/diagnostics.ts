import { appendFileSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';

const LOG_BYTES = 256 * 1024;

/** Log entry of a hook: event name, outcome, code. Never captured content. */
export interface Note {
  readonly event: string;
  readonly what:
    | 'internal-error'
    | 'no-event'
    | 'no-input'
    | 'input-too-large'
    | 'not-json'
    | 'no-session'
    | 'no-server'
    | 'out-of-time'
    | 'refused'
    | 'spooled'
    | 'handed-over'
    | 'not-spooled'
    | 'drained'
    | 'drain-stopped'
    | 'forgotten'
    | 'quarantined';
  readonly detail?: string;
  readonly count?: number;
}

/** Returns the times of events in the log that neither the server nor the spool has, oldest first. */
export function lostEvents(dataDir: string): string[] {
  const log = join(dataDir, 'logs', 'hook.log');
  return [`${log}.1`, log].flatMap((file) => {
    let lines: string[];
    try {
      lines = readFileSync(file, 'utf8').split('\n');
    } catch {
      return []; // Nothing was logged.
    }
    return lines.flatMap((line) => {
      const [, at] = /^\{"at":"([^"]+)","event":"(?![Pp]reToolUse")[^"]*","what":"not-spooled"/.exec(line) ?? [];
      return at === undefined ? [] : [at];
    });
  });
}

/** Appends to `logs/hook.log` of an existing data directory; rotates to one older file. Never throws. */
export function note(dataDir: string, entry: Note): void {
  try {
    statSync(dataDir);
    const folder = join(dataDir, 'logs');
    const file = join(folder, 'hook.log');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES) renameSync(file, `${file}.1`);
    appendFileSync(file, `${JSON.stringify({ at: new Date().toISOString(), ...entry })}\n`, { mode: 0o600 });
  } catch {
    // The log is not writable.
  }
}
