import { describe, expect, it } from 'vitest';
import { normaliseRemote, projectIdentity } from '../../../domain/capture/project-identity.ts';
import { processorMs } from '../../setup/processor-time.ts';

describe('normaliseRemote', () => {
  it.each([
    'git@github.com:Owner/Name.git',
    'github.com:Owner/Name',
    'git@github.com:/Owner/Name.git',
    'https://github.com/Owner/Name',
    'https://github.com/Owner/Name.git',
    'https://github.com/Owner/Name.git/',
    'https://github.com/Owner/Name///',
    'HTTPS://GitHub.COM/Owner/Name',
    'https://github.com:443/Owner/Name.git',
    'http://github.com/Owner/Name',
    'ssh://git@github.com/Owner/Name.git',
    'ssh://git@github.com:22/Owner/Name.git',
    'git://github.com/Owner/Name.git',
    'git+ssh://git@github.com/Owner/Name',
    'https://github.com/Owner/Name?tab=readme#top',
    'https://user@github.com/Owner/Name',
    'https://user:token@github.com/Owner/Name',
    'https://user:to@ken:x@github.com/Owner/Name',
    'https://x-access-token:ghs_1234@github.com/Owner/Name.git',
    '  https://github.com/Owner/Name\n',
  ])('%j is the same project', (remote) => {
    expect(normaliseRemote(remote)).toBe('github.com/Owner/Name');
  });

  it.each([
    ['retains a port that identifies the server', 'ssh://git@git.example.com:2222/o/r.git', 'git.example.com:2222/o/r'],
    ['retains the case of a path', 'git@example.com:Team/App', 'example.com/Team/App'],
    ['retains subgroups', 'https://gitlab.com/a/b/c/d.git', 'gitlab.com/a/b/c/d'],
    ['takes a host alias', 'git@github_work:o/r', 'github_work/o/r'],
    ['takes .git at the end alone', 'https://example.com/o/my.github.io', 'example.com/o/my.github.io'],
  ])('%s', (_, remote, expected) => {
    expect(normaliseRemote(remote)).toBe(expected);
  });

  it.each([
    ['nothing', ''],
    ['blanks', '  '],
    ['a host alone', 'https://user:token@github.com'],
    ['a host with a bare slash', 'https://github.com/'],
    ['a folder', '/srv/git/app.git'],
    ['a relative folder', '../app.git'],
    ['a file', 'file:///srv/git/app.git'],
    ['a Windows folder', String.raw`C:\src\app`],
    ['a Windows folder with slashes', 'C:/src/app'],
    ['words', 'not a remote'],
    ['credentials without a scheme', 'oauth2:secret@gitlab.com/o/r'],
  ])('%s is none', (_, remote) => {
    expect(normaliseRemote(remote)).toBeNull();
  });

  it.each([
    'https://user:hunter2secret@github.com/o/r',
    'https://user:hunter2secret@more@github.com/o/r',
    'https://hunter2secret@github.com/o/r',
    'user:hunter2secret@github.com/o/r',
    'user:hunter2secret@github.com:o/r',
    'ssh://user:hunter2secret@github.com:22/o/r',
    'https://github.com/o/r?private_token=hunter2secret',
  ])('leaves no credential of %s', (remote) => {
    expect(normaliseRemote(remote) ?? '').not.toContain('hunter2');
  });

  it('reads long runs of slashes in no time', () => {
    const spentMs = processorMs(() => {
      normaliseRemote(`https://example.com/${'/'.repeat(300_000)}x`);
      normaliseRemote(`https://example.com/x${'/'.repeat(300_000)}x`);
      projectIdentity({ path: `${'/'.repeat(300_000)}x` });
    });
    expect(spentMs).toBeLessThan(1_000);
  });
});

describe('projectIdentity', () => {
  it('names the remote first, then machine and path, and is called after the remote', () => {
    expect(projectIdentity({ remote: 'git@github.com:o/app.git', path: '/home/me/work/', machineId: 'm1' })).toEqual({
      aliases: ['remote:github.com/o/app', 'path:m1:/home/me/work'],
      name: 'app',
      remote: 'github.com/o/app',
    });
  });

  it.each([
    ['a path', { path: '/src/app' }, ['path::/src/app'], 'app'],
    ['a path with slashes at its end', { path: '/src/app//' }, ['path::/src/app'], 'app'],
    ['the root folder', { path: '/' }, ['path::/'], 'project'],
    ['a Windows path', { path: 'C:\\src\\app\\' }, ['path::C:\\src\\app'], 'app'],
    ['a remote that is none, beside a path', { remote: 'nonsense', path: '/src/app' }, ['path::/src/app'], 'app'],
    [
      'a root commit beside a path',
      { repository: 'abc', path: '/src/app' },
      ['repository:abc', 'path::/src/app'],
      'app',
    ],
    ['a name alone', { name: 'Shop' }, ['name:Shop'], 'Shop'],
    ['a name beside a path', { name: 'Shop', path: '/src/app' }, ['path::/src/app'], 'Shop'],
    ['a name beside an empty path', { name: 'Shop', path: '' }, ['name:Shop'], 'Shop'],
  ])('%s', (_, hint, aliases, name) => {
    expect(projectIdentity(hint)).toEqual({ aliases, name, remote: null });
  });

  it.each([
    ['no hint', null],
    ['an empty one', {}],
    ['an empty path', { path: '' }],
    ['a remote that is none', { remote: '/x' }],
  ])('returns null for %s', (_, hint) => {
    expect(projectIdentity(hint)).toBeNull();
  });

  it('leaves out the root commit beside a remote: forks share it', () => {
    expect(projectIdentity({ remote: 'git@github.com:o/app.git', repository: 'abc' })?.aliases).toEqual([
      'remote:github.com/o/app',
    ]);
  });

  it('distinguishes the same path on two machines', () => {
    const one = projectIdentity({ path: '/src/app', machineId: 'a' });
    const other = projectIdentity({ path: '/src/app', machineId: 'b' });
    expect(one?.aliases).not.toEqual(other?.aliases);
  });
});
