import { mkdirSync, symlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Home } from './support/home.ts';

const SETTINGS = '.claude/settings.json';

describe('links', () => {
  test('are followed and stay links', async () => {
    const home = new Home();
    home.write('dotfiles/claude.json', '{}\n');
    mkdirSync(home.path('.claude'));
    symlinkSync('../dotfiles/claude.json', home.path(SETTINGS));
    const { out } = await home.run('install', 'claude-code', '--transport', 'http');
    expect(out).toContain('dotfiles/claude.json: changed');
    expect(home.read('dotfiles/claude.json')).toContain('/api/v1/hooks/Stop');
    expect(home.backups('dotfiles/claude.json')).toHaveLength(1);
    expect(home.list('.claude')).toEqual(['settings.json']);
    await home.run('uninstall', 'claude-code');
    expect(home.read(SETTINGS)).toBe('{}\n');
  });

  test('to a missing file create it', async () => {
    const home = new Home();
    mkdirSync(home.path('.claude'));
    mkdirSync(home.path('dotfiles'));
    symlinkSync(home.path('dotfiles/new.json'), home.path(SETTINGS));
    expect((await home.run('install', 'claude-code')).code).toBe(0);
    expect(home.list('dotfiles')).toEqual(['new.json']);
  });

  test('that are circular are rejected', async () => {
    const home = new Home();
    mkdirSync(home.path('.claude'));
    symlinkSync(home.path('.claude/b'), home.path(SETTINGS));
    symlinkSync(home.path(SETTINGS), home.path('.claude/b'));
    expect(await home.run('install', 'claude-code')).toMatchObject({
      code: 1,
      err: expect.stringContaining('circular'),
    });
  });
});
