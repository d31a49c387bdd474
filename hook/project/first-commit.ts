import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { HookUser } from '../environment.ts';
import { emptyRepository } from './empty-repository.ts';
import type { GitFolder } from './git-folder.ts';
import { readText } from './read-text.ts';

const GIT_TIMEOUT_MS = 300;
const REF_BYTES = 4096;
const PACKED_REFS_BYTES = 8 * 1024 * 1024;
const OBJECT_ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const BRANCH = /^ref: (refs\/\S+)$/;

/**
 * Returns the id of a repository's first commit. Null when git is missing or late, in an empty repository, and in a shallow copy, whose
 * first commit is not the repository's.
 *
 * A repository's configuration can name programs that git starts, such as the transport of a promisor remote. So git runs in an empty
 * repository in the data directory, with only the objects of the found one.
 */
export function firstCommit({ common }: GitFolder, dataDir: string, user: HookUser): Promise<string | null> {
  const head = existsSync(join(common, 'shallow')) ? null : headCommit(common);
  const empty = head === null ? null : emptyRepository(dataDir, head.length === 64 ? 'sha256' : 'sha1');
  if (head === null || empty === null) return Promise.resolve(null);
  return new Promise((done) => {
    execFile(
      'git',
      ['rev-list', '--max-parents=0', head, '--'],
      {
        cwd: empty,
        env: {
          PATH: user.programFolders,
          GIT_DIR: empty,
          GIT_OBJECT_DIRECTORY: join(common, 'objects'),
          GIT_CONFIG_NOSYSTEM: '1',
          GIT_CONFIG_GLOBAL: '/dev/null',
          GIT_NO_LAZY_FETCH: '1',
        },
        timeout: GIT_TIMEOUT_MS,
        killSignal: 'SIGKILL',
        maxBuffer: 64 * 1024,
      },
      (error, output) => {
        // Joined histories have several root commits: the smallest is the same for all users.
        const roots = output.split('\n').filter((line) => OBJECT_ID.test(line));
        done(error === null ? (roots.sort()[0] ?? null) : null);
      },
    );
  });
}

/** Returns the commit that HEAD names, read from files. Null without one, and if branches are stored in another format (reftable). */
function headCommit(common: string): string | null {
  const head = readText(join(common, 'HEAD'), REF_BYTES)?.trim() ?? '';
  if (OBJECT_ID.test(head)) return head;
  const branch = BRANCH.exec(head)?.[1];
  if (branch === undefined || branch.split('/').includes('..')) return null;
  const own = readText(join(common, branch), REF_BYTES)?.trim();
  const packed = (): string | undefined =>
    readText(join(common, 'packed-refs'), PACKED_REFS_BYTES)
      ?.split('\n')
      .find((line) => line.endsWith(` ${branch}`))
      ?.split(' ', 1)[0];
  const commit = own ?? packed() ?? '';
  return OBJECT_ID.test(commit) ? commit : null;
}
