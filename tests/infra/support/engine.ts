import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { create } from 'tar';
import { type Engine, TEMPORAL } from '../../../infra/engines/pinned.ts';

/** Creates a script that contains Go's version stamp, like a real program. */
export function stampedProgram(file: string, version: string, module = 'go.temporal.io/server'): string {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\necho hello\n#\tmod\n#\t${module}\tv${version}\th1:hash=\n`);
  chmodSync(file, 0o755);
  return file;
}

/** Returns Temporal's definition with its modules in a test folder. */
export function engineIn(goFolder: string, changed: Partial<Engine> = {}): Engine {
  return { ...TEMPORAL, goFolder, ...changed };
}

/** Returns a release archive with these files, and its SHA-256. */
export async function releaseArchive(
  folder: string,
  files: Readonly<Record<string, string>>,
): Promise<{ bytes: Buffer; sha256: string }> {
  const content = path.join(folder, 'release');
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(content, name)), { recursive: true });
    writeFileSync(path.join(content, name), text);
  }
  const file = path.join(folder, 'release.tar.gz');
  await create({ gzip: true, file, cwd: content }, Object.keys(files));
  const bytes = readFileSync(file);
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}
