import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findGitFolder } from './git-folder.ts';
import type { GitFolder } from './git-folder.ts';
import { isElsewhere, remoteOf, withoutCredentials } from './git-config.ts';
import { machineId } from './machine-id.ts';

const GIT_TIMEOUT_MS = 300;
const OBJECT_ID = /^[0-9a-f]{40,64}$/;

/**
 * What a server cannot know of the folder that a session runs in, as fields of the hook: `root`, `machine_id`, and `git_remote` or,
 * without a remote, `repository`, the id of the first commit. Git itself runs only for the last, 300 ms at most. Never rejects.
 */
export async function projectFacts(cwd: string, dataDir: string): Promise<Record<string, string>> {
  const machine = machineId(dataDir);
  const facts: Record<string, string> = machine === null ? {} : { machine_id: machine };
  let git: GitFolder | null = null;
  try {
    git = findGitFolder(cwd);
  } catch {
    // A folder that cannot be looked into is one without a repository.
  }
  if (git === null) return { ...facts, root: resolve(cwd) };
  facts['root'] = git.root;
  const remote = configuredRemote(git);
  if (remote !== null && isElsewhere(remote)) return { ...facts, git_remote: withoutCredentials(remote) };
  const first = await firstCommit(git);
  return first === null ? facts : { ...facts, repository: first };
}

function configuredRemote({ common }: GitFolder): string | null {
  try {
    return remoteOf(readFileSync(join(common, 'config'), 'utf8'));
  } catch {
    return null; // A repository without a configuration has no remote.
  }
}

/** Null when git is missing or late, in an empty repository, and in a shallow copy, whose first commit is not the repository's. */
function firstCommit({ common }: GitFolder): Promise<string | null> {
  if (statSync(join(common, 'shallow'), { throwIfNoEntry: false }) !== undefined) return Promise.resolve(null);
  return new Promise((done) => {
    execFile(
      'git',
      ['--git-dir', common, 'rev-list', '--max-parents=0', 'HEAD'],
      { timeout: GIT_TIMEOUT_MS, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 },
      (error, output) => {
        // Histories that were joined have several: the smallest is the same for everybody.
        const roots = output.split('\n').filter((line) => OBJECT_ID.test(line));
        done(error === null ? (roots.sort()[0] ?? null) : null);
      },
    );
  });
}
