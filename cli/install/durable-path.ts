import { InstallError } from './install-error.ts';

/** Folders of `npx`, `pnpm dlx`, `yarn dlx` and `bunx`, which are deleted without notice. */
const DELETED = /[/\\](?:_npx|_cacache|dlx(?:-\d+)?|bunx-[^/\\]+)[/\\]/;

/** Returns true for a path that a package manager deletes without notice. */
export function isInPackageCache(file: string): boolean {
  return DELETED.test(file);
}

/** @throws InstallError `cache-path` for a path that settings must not name, because a package manager deletes it */
export function assertDurable(...files: readonly string[]): void {
  const deleted = files.find(isInPackageCache);
  if (deleted === undefined) return;
  throw new InstallError(
    'cache-path',
    `${deleted} is in a cache of the package manager, which deletes it. Run npm install --global recollect, then recollect.`,
  );
}
