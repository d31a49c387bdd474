import { resolve, join } from 'node:path';
import { hookUser } from '../environment.ts';
import type { HookUser } from '../environment.ts';
import { findGitFolder, emptyRepository } from './git-folder.ts';
import type { GitFolder } from './git-folder.ts';
import { machineId } from './machine-id.ts';
import { readText } from './read-text.ts';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';

/** A section's line as git writes it: `[remote "origin"]`. */
const SECTION = /^\s*\[\s*([A-Za-z0-9.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]/;
/** Takes all that is behind the sign: an end that could fail to match would be tried again from every blank. */
const URL_LINE = /^\s*url\s*=([^]*)/i;

/** The value of a line without quotes, escapes and a comment after it. */
function plainValue(text: string): string {
  let value = '';
  let quoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const char = text[index] ?? '';
    if (char === '\\') value += text[(index += 1)] ?? '';
    else if (char === '"') quoted = !quoted;
    else if (!quoted && (char === '#' || char === ';')) break;
    else value += char;
  }
  return value.trim();
}

/** The address of a repository's remote by the text of its `.git/config`: origin's, else the first one's. Null without any. */
export function remoteOf(config: string): string | null {
  let remote: string | null = null;
  let first: string | null = null;
  for (const line of config.split(/\r?\n/)) {
    const section = SECTION.exec(line);
    if (section !== null) {
      remote = section[1]?.toLowerCase() === 'remote' ? (section[2] ?? null) : null;
      continue;
    }
    const value = remote === null ? undefined : URL_LINE.exec(line)?.[1];
    if (value === undefined) continue;
    const url = plainValue(value);
    if (url === '') continue;
    if (remote === 'origin') return url;
    first ??= url;
  }
  return first;
}

/** `host:path` or `user@host:path`; a single letter is a drive. */
const SHORT_FORM = /^[^/\\]{2,}:(?!\\)/;
const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;

/** Returns whether a remote is on another machine. A local folder does not identify the project on other machines. */
export function isElsewhere(remote: string): boolean {
  const scheme = SCHEME.exec(remote)?.[1];
  return scheme === undefined ? SHORT_FORM.test(remote) : scheme.toLowerCase() !== 'file';
}

/** A remote without user names, passwords, queries and anchors: `https://user:token@host/path` becomes `https://host/path`. */
export function withoutCredentials(remote: string): string {
  const scheme = SCHEME.exec(remote)?.[0] ?? '';
  const rest = remote.slice(scheme.length).split(/[?#]/, 1)[0] ?? '';
  // A password may hold an @, and wrongly a slash: what is before the last @ is left out, when it can be a password at all.
  const at = rest.lastIndexOf('@');
  const slash = rest.indexOf('/');
  const isPath = slash !== -1 && at > slash && !rest.slice(0, slash).includes(':');
  return scheme + (at === -1 || isPath ? rest : rest.slice(at + 1));
}

/** Time limit of git within the time of a hook. */
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
function firstCommit({ common }: GitFolder, dataDir: string, user: HookUser, timeout: number): Promise<string | null> {
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
        timeout,
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

const CONFIG_BYTES = 1024 * 1024;

/**
 * What a server cannot know of the folder that a session runs in, as fields of the hook: `root`, `machine_id`, and `git_remote` or,
 * without a remote, `repository`, the id of the first commit. Runs no program that the folder could choose: all is read from files, and
 * git itself runs only for the first commit, `gitTimeoutMs` at most, without the repository's configuration. Never rejects.
 */
export async function projectFacts(
  cwd: string,
  dataDir: string,
  user: HookUser = hookUser(),
  gitTimeoutMs = GIT_TIMEOUT_MS,
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
  const first = await firstCommit(git, dataDir, user, gitTimeoutMs);
  return first === null ? facts : { ...facts, repository: first };
}
