import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bytesOf } from '../domain/transcripts/support/from-hooks.ts';
import type { Line } from '../domain/transcripts/support/from-hooks.ts';

const DAY_MS = 24 * 3_600_000;

/** Age of a file that is being written, however long the test takes: it is last modified in the future. */
export const BEING_WRITTEN_MS = -600_000;

export interface TranscriptFolder {
  readonly root: string;
  /** Writes a transcript last modified `quietMs` ago; returns its path. */
  write(name: string, lines: readonly (Line | string)[] | Buffer, quietMs?: number): string;
  remove(): void;
}

/** A folder of transcripts that only this test has. */
export function transcriptFolderOf(): TranscriptFolder {
  const root = mkdtempSync(path.join(tmpdir(), 'recollect-transcripts-'));
  return {
    root,
    write(name, lines, quietMs = 2 * DAY_MS) {
      const file = path.join(root, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, Buffer.isBuffer(lines) ? lines : bytesOf(lines));
      const at = new Date(Date.now() - quietMs);
      utimesSync(file, at, at);
      return file;
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
