import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inject } from 'vitest';
import { z } from 'zod';

/** Copies the installed package to `folder`: another version of it, with the same dependencies, and changed files, by their path. */
export function packageVariant(folder: string, version: string, changed: Readonly<Record<string, string>> = {}): void {
  const installed = inject('installed');
  mkdirSync(folder, { recursive: true });
  cpSync(installed, folder, { recursive: true, filter: (file) => file !== path.join(installed, 'node_modules') });
  spawnSync('chmod', ['-R', 'u+w', folder]);
  symlinkSync(path.join(installed, 'node_modules'), path.join(folder, 'node_modules'));
  const file = path.join(folder, 'package.json');
  const manifest = z.looseObject({}).parse(JSON.parse(readFileSync(file, 'utf8')));
  writeFileSync(file, JSON.stringify({ ...manifest, version }));
  for (const [name, text] of Object.entries(changed)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
}
