import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { projectFacts, isElsewhere, remoteOf, withoutCredentials } from '../../../hook/project/facts.ts';
import { machineId } from '../../../hook/project/machine-id.ts';

let folder: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'recollect-facts-')));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const git = (cwd: string, ...words: string[]) =>
  execFileSync('git', ['-C', cwd, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...words], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();

function repository(name: string): string {
  const root = path.join(folder, name);
  mkdirSync(path.join(root, 'deep', 'er'), { recursive: true });
  git(root, 'init', '-q');
  writeFileSync(path.join(root, 'file'), name);
  git(root, 'add', '.');
  git(root, 'commit', '-q', '-m', 'first');
  return root;
}

const facts = (cwd: string) => projectFacts(cwd, path.join(folder, 'data'));

describe('a repository', () => {
  it('with a remote is known by it, from anywhere in it', async () => {
    const root = repository('a');
    git(root, 'remote', 'add', 'other', 'https://other.example/x.git');
    git(root, 'remote', 'add', 'origin', 'git@git.example:team/a.git');
    const found = await facts(path.join(root, 'deep', 'er'));
    expect(found).toEqual({ machine_id: expect.any(String), root, git_remote: 'git.example:team/a.git' });
  });

  it('without one is known by its first commit', async () => {
    const root = repository('b');
    const first = git(root, 'rev-parse', 'HEAD');
    writeFileSync(path.join(root, 'more'), '');
    git(root, 'add', '.');
    git(root, 'commit', '-q', '-m', 'second');
    expect(await facts(root)).toEqual({ machine_id: expect.any(String), root, repository: first });
    // A folder of this machine is no remote.
    git(root, 'remote', 'add', 'origin', '/srv/somewhere.git');
    expect(await facts(root)).toMatchObject({ repository: first });
  });

  it('in a worktree is the main one’s', async () => {
    const root = repository('c');
    git(root, 'remote', 'add', 'origin', 'https://git.example/c.git');
    const tree = path.join(folder, 'c-tree');
    git(root, 'worktree', 'add', '-q', tree);
    mkdirSync(path.join(tree, 'sub'));
    expect(await facts(path.join(tree, 'sub'))).toMatchObject({ root, git_remote: 'https://git.example/c.git' });
  });

  it('that is bare is the root of its worktrees', async () => {
    const bare = path.join(folder, 'bare.git');
    execFileSync('git', ['clone', '-q', '--bare', repository('d'), bare], { stdio: 'ignore' });
    const tree = path.join(folder, 'of-bare');
    git(bare, 'worktree', 'add', '-q', tree, '-b', 'work');
    expect(await facts(tree)).toMatchObject({ root: bare });
  });

  it('inside another as a submodule is its own', async () => {
    const outer = repository('e');
    const inner = repository('f');
    git(outer, '-c', 'protocol.file.allow=always', 'submodule', 'add', '-q', inner, 'inner');
    expect(await facts(path.join(outer, 'inner'))).toMatchObject({ root: path.join(outer, 'inner') });
  });

  it('without a commit, or copied in part, has no first one', async () => {
    const empty = path.join(folder, 'empty');
    mkdirSync(empty);
    git(empty, 'init', '-q');
    expect(await facts(empty)).toEqual({ machine_id: expect.any(String), root: empty });
    const root = repository('g');
    writeFileSync(path.join(root, '.git', 'shallow'), '');
    expect(await facts(root)).toEqual({ machine_id: expect.any(String), root });
  });
});

describe('no repository', () => {
  it('is its folder', async () => {
    expect(await facts(folder)).toEqual({ machine_id: expect.any(String), root: folder });
    writeFileSync(path.join(folder, '.git'), 'no pointer');
    expect(await facts(folder)).toMatchObject({ root: folder });
  });

  it('may be a folder that is not there', async () => {
    expect(await facts(path.join(folder, 'missing'))).toMatchObject({ root: path.join(folder, 'missing') });
  });
});

describe('the configuration of git', () => {
  it.each([
    ['[remote "origin"]\n\turl = https://a/b\n', 'https://a/b'],
    ['[core]\n\turl = x\n[remote "up"]\n  URL="https://a/up" # note\n', 'https://a/up'],
    ['[remote "up"]\nurl = https://a/up\n[remote "origin"]\nfetch = x\nurl = https://a/o ; note\n', 'https://a/o'],
    ['[Remote "origin"]\r\n\turl = "https://a/\\"q\\""\r\n', 'https://a/"q"'],
  ])('%j has a remote', (text, url) => {
    expect(remoteOf(text)).toBe(url);
  });

  it.each([
    '',
    '[remote "origin"]\n',
    '[remote "origin"]\nurl =\n',
    '[remote]\nurl = x\n',
    '[branch "m"]\nremote = o\n',
  ])('%j has none', (text) => {
    expect(remoteOf(text)).toBeNull();
  });

  it.each([
    ['https://u:p@h.example/a.git', 'https://h.example/a.git'],
    ['https://token@h.example/a', 'https://h.example/a'],
    ['https://u:p@ss@h.example/a', 'https://h.example/a'],
    ['https://u:p/w@h.example/a', 'https://h.example/a'],
    ['https://h.example/a?private_token=x#y', 'https://h.example/a'],
    ['https://h.example/a@b', 'https://h.example/a@b'],
    ['ssh://git@h.example:22/a', 'ssh://h.example:22/a'],
    ['git@h.example:a/b.git', 'h.example:a/b.git'],
    ['u:secret@h.example:a/b', 'h.example:a/b'],
  ])('%s is reported as %s', (remote, reported) => {
    expect(withoutCredentials(remote)).toBe(reported);
  });

  it('distinguishes another machine from a folder', () => {
    for (const remote of ['https://h/a', 'ssh://h/a', 'git@h:a', 'host:a']) expect(isElsewhere(remote)).toBe(true);
    for (const remote of ['/a', './a', '../a:b', 'file:///a', 'C:\\a', 'c:/a']) expect(isElsewhere(remote)).toBe(false);
  });
});

describe('the machine’s id', () => {
  it('is created once, also by concurrent processes, and remains', () => {
    const data = path.join(folder, 'data');
    const id = machineId(data);
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(machineId(data)).toBe(id);
    expect(machineId(path.join(folder, 'other'))).not.toBe(id);
  });

  it('is null if it cannot be stored', () => {
    writeFileSync(path.join(folder, 'file'), '');
    expect(machineId(path.join(folder, 'file'))).toBeNull();
    const damaged = path.join(folder, 'damaged');
    mkdirSync(damaged);
    writeFileSync(path.join(damaged, 'machine-id'), 'x');
    chmodSync(path.join(damaged, 'machine-id'), 0o600);
    expect(machineId(damaged)).toBeNull();
  });
});

it('reads a line of a megabyte in the time of its length', () => {
  const text = `[remote "origin"]\n\turl=${' '.repeat(1_000_000)}a\u2028b\n`;
  expect(remoteOf(text)).toBe('a\u2028b');
});
