import { resolve, join } from 'node:path';
import { hookUser } from '../environment.ts';
import type { HookUser } from '../environment.ts';
import { firstCommit } from './first-commit.ts';
import { findGitFolder } from './git-folder.ts';
import type { GitFolder } from './git-folder.ts';
import { isElsewhere, remoteOf, withoutCredentials } from './git-config.ts';
import { machineId } from './machine-id.ts';
import { readText } from './read-text.ts';

const CONFIG_BYTES = 1024 * 1024;

/**
 * What a server cannot know of the folder that a session runs in, as fields of the hook: `root`, `machine_id`, and `git_remote` or,
 * without a remote, `repository`, the id of the first commit. Runs no program that the folder could choose: all is read from files, and
 * git itself runs only for the first commit, 300 ms at most, without the repository's configuration. Never rejects.
 */
export async function projectFacts(
  cwd: string,
  dataDir: string,
  user: HookUser = hookUser(),
): Promise<Record<string, string>> {
  const machine = machineId(dataDir);
  const facts: Record<string, string> = machine === null ? {} : { machine_id: machine };
  let git: GitFolder | null = null;
  try {
    git = findGitFolder(cwd, user);
  } catch {
    // A folder that cannot be looked into is one without a repository.
  }
  if (git === null) return { ...facts, root: resolve(cwd) };
  facts['root'] = git.root;
  const remote = remoteOf(readText(join(git.common, 'config'), CONFIG_BYTES) ?? '');
  if (remote !== null && isElsewhere(remote)) return { ...facts, git_remote: withoutCredentials(remote) };
  const first = await firstCommit(git, dataDir, user);
  return first === null ? facts : { ...facts, repository: first };
}
