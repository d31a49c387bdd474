import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';

/** An empty folder that is removed after the last test of the file. */
export function longLivedFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'recollect-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}
