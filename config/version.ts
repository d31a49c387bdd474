import { createRequire } from 'node:module';
import { z } from 'zod';

/** Version of this program, of its package. */
export const { version: VERSION } = z
  .object({ version: z.string() })
  .parse(createRequire(import.meta.url)('../package.json'));

/** Returns a number below 0 if `first` is older than `second`, above 0 if newer (semver.org, 11: a pre-release precedes its release). */
export function compareVersions(first: string, second: string): number {
  const [release = '', ...before] = first.split('-');
  const [otherRelease = '', ...otherBefore] = second.split('-');
  const inOrder = new Intl.Collator('en', { numeric: true });
  const byRelease = inOrder.compare(release, otherRelease);
  if (byRelease !== 0 || before.length === 0 || otherBefore.length === 0)
    return byRelease || otherBefore.length - before.length;
  return inOrder.compare(before.join('-'), otherBefore.join('-'));
}
