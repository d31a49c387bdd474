import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { BUDGETS } from '../../../infra/build/viewer.ts';
import { atMost } from './figure.ts';
import type { Figure } from './figure.ts';

const BUILT = path.resolve(import.meta.dirname, '..', '..', '..', 'viewer', 'built');

/** Returns the sizes of the built files after gzip in KB of 1,000 bytes: scripts and styles that the first page loads, and all files. */
export function builtSizes(): Readonly<Record<string, Figure>> {
  const html = readFileSync(path.join(BUILT, 'index.html'), 'utf8');
  const files = readdirSync(BUILT, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.gz'));
  const kilobytes = (matches: (name: string) => boolean): number =>
    files.filter(matches).reduce((sum, name) => sum + statSync(path.join(BUILT, name)).size, 0) / 1_000;
  const isNamed = (name: string, ending: string): boolean =>
    name.endsWith(`${ending}.gz`) && html.includes(path.basename(name, '.gz'));
  return {
    initial_js_gz_kb: atMost(
      BUDGETS.initialScripts / 1_000,
      kilobytes((name) => isNamed(name, '.js')),
    ),
    css_gz_kb: atMost(
      BUDGETS.styles / 1_000,
      kilobytes((name) => name.endsWith('.css.gz')),
    ),
    all_gz_kb: atMost(
      BUDGETS.all / 1_000,
      kilobytes(() => true),
    ),
  };
}
