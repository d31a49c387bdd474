import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { processEnvironment } from '../../../config/process-environment.ts';
import { hookUser } from '../../../hook/environment.ts';
import { projectFacts } from '../../../hook/project/facts.ts';

let folder: string;
let root: string;
let first: string;

const git = (cwd: string, ...words: string[]) =>
  execFileSync('git', ['-C', cwd, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...words], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
const inGit = (...names: string[]) => path.join(root, '.git', ...names);
const marker = () => path.join(folder, 'marker');
const facts = (cwd: string, user = hookUser()) => projectFacts(cwd, path.join(folder, 'data'), user);
const none = (cwd: string) => ({ machine_id: expect.any(String), root: cwd });

beforeEach(() => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'recollect-hostile-')));
  root = path.join(folder, 'repository');
  mkdirSync(root);
  git(root, 'init', '-q');
  git(root, 'commit', '-q', '--allow-empty', '-m', 'first');
  first = git(root, 'rev-parse', 'HEAD');
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('a repository that wants to run a program', () => {
  const program = () => `touch ${marker()}; false`;
  const branch = () => inGit(git(root, 'symbolic-ref', 'HEAD'));

  it.each([
    ['missing commit', '1'.repeat(40)],
    ['its own commit', null],
  ])('does not run the transport of a promisor remote for a %s', async (_what, head) => {
    writeFileSync(
      inGit('config'),
      `[core]\n\trepositoryformatversion = 1\n\tfsmonitor = "${program()}"\n\tsshCommand = "${program()}"\n\thooksPath = ${folder}\n` +
        `[extensions]\n\tpartialClone = evil\n[remote "evil"]\n\turl = ${root}\n\tpromisor = true\n\tuploadpack = "${program()}"\n`,
    );
    if (head !== null) writeFileSync(branch(), `${head}\n`);
    expect(await facts(root)).toEqual(head === null ? { ...none(root), repository: first } : none(root));
    expect(existsSync(marker())).toBe(false);
  });

  it('does not run git of a relative folder of the PATH', async () => {
    const program = path.join(folder, 'git');
    writeFileSync(program, `#!/bin/sh\ntouch ${marker()}\n`);
    chmodSync(program, 0o755);
    const relative = path.relative(process.cwd(), folder);
    const user = hookUser({ ...processEnvironment(), PATH: `${relative}::.:${processEnvironment()['PATH'] ?? ''}` });
    expect(await facts(root, user)).toMatchObject({ repository: first });
    expect(existsSync(marker())).toBe(false);
  });
});

describe('files of a repository', () => {
  it.each(['config', 'HEAD', 'packed-refs', 'shallow', 'objects/info/alternates'])(
    'do not block the hook where %s is a FIFO or without an end',
    async (name) => {
      const file = inGit(...name.split('/'));
      rmSync(file, { force: true });
      execFileSync('mkfifo', [file]);
      if (name === 'packed-refs') rmSync(inGit('refs', 'heads'), { recursive: true });
      expect(await facts(root)).toMatchObject(none(root));
      rmSync(file);
      symlinkSync('/dev/zero', file);
      expect(await facts(root)).toMatchObject(none(root));
    },
  );

  it('may be a pointer that is a FIFO or leads to one', async () => {
    const other = path.join(folder, 'other');
    mkdirSync(other);
    execFileSync('mkfifo', [path.join(other, '.git')]);
    expect(await facts(other)).toEqual(none(other));
    rmSync(path.join(other, '.git'));
    writeFileSync(path.join(other, '.git'), 'gitdir: /dev/zero\n');
    expect(await facts(other)).toEqual(none(other));
  });

  it('are read with packed branches and in a repository of SHA-256', async () => {
    git(root, 'pack-refs', '--all');
    git(root, 'gc', '-q');
    expect(await facts(root)).toMatchObject({ repository: first });
    const long = path.join(folder, 'long');
    mkdirSync(long);
    git(long, 'init', '-q', '--object-format=sha256');
    git(long, 'commit', '-q', '--allow-empty', '-m', 'first');
    expect(await facts(long)).toMatchObject({ repository: git(long, 'rev-parse', 'HEAD') });
  });

  it('name no branch outside of the repository', async () => {
    writeFileSync(path.join(folder, 'secret'), `${first}\n`);
    writeFileSync(inGit('HEAD'), 'ref: refs/../../../secret\n');
    expect(await facts(root)).toEqual(none(root));
  });
});

describe('where a repository is looked for', () => {
  it('ends at the home folder, by any of its paths', async () => {
    const home = path.join(root, 'home');
    const project = path.join(home, 'project');
    mkdirSync(project, { recursive: true });
    expect(await facts(project)).toMatchObject({ root });
    symlinkSync(home, path.join(folder, 'link'));
    for (const named of [home, path.join(folder, 'link')])
      expect(await facts(project, { ...hookUser(), home: named })).toEqual(none(project));
    git(home, 'init', '-q');
    expect(await facts(project, { ...hookUser(), home })).toMatchObject({ root: home });
  });

  it('leaves out a repository of another user, and a pointer into one', async () => {
    const stranger = { ...hookUser(), ids: [(process.geteuid?.() ?? 0) + 1] };
    mkdirSync(path.join(root, 'sub'));
    expect(await facts(path.join(root, 'sub'), stranger)).toEqual(none(path.join(root, 'sub')));
    if (process.geteuid?.() !== 0) return; // Only root can change an owner.
    execFileSync('chown', ['-R', '4242', path.join(root, '.git')]);
    const pointing = path.join(folder, 'pointing');
    mkdirSync(pointing);
    writeFileSync(path.join(pointing, '.git'), `gitdir: ${root}/.git\n`);
    expect(await facts(pointing)).toEqual(none(pointing));
    expect(await facts(root)).toEqual(none(root));
    expect(await facts(root, hookUser({ ...processEnvironment(), SUDO_UID: '4242' }))).toMatchObject({
      repository: first,
    });
  });
});
