import { readFileSync } from 'node:fs';
import path from 'node:path';
import { compareVersions } from '../../config/version.ts';

const CHANGELOG = path.resolve(import.meta.dirname, '..', '..', 'CHANGELOG.md');
const HEADING = /^## \[([^\]]+)\]/;

/** Returns the sections of a changelog for versions after `version`, and unreleased changes, newest first; '' without any. */
export function changesSince(version: string, changelog = readFileSync(CHANGELOG, 'utf8')): string {
  return changelog
    .split(/^(?=## )/m)
    .filter((section) => {
      const named = HEADING.exec(section)?.[1];
      return named !== undefined && (!/^\d/.test(named) || compareVersions(named, version) > 0);
    })
    .join('')
    .trim();
}
