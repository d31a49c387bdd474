import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { assertDurable, isInPackageCache } from '../../../cli/install/durable-path.ts';
import { VERSION } from '../../../config/version.ts';
import { BUILT_CLIENT } from '../../../hook/command-line.ts';
import { credentials, Home, KEY, OPERATORS_KEY, URL_HERE } from './support/home.ts';

const SETTINGS = '.claude/settings.json';
const HTTP = ['--transport', 'http'];
const FOREIGN = `{
    "model": "opus", "permissions": {"allow": ["Bash(ls:*)"]},
    "env": { "COLOUR": "no" },
    "hooks": {
        "PostToolUse": [
            {"matcher": "Edit|Write", "hooks": [{"type": "command", "command": "prettier --write"}]}
        ],
        "Notification": []
    }
}
`;

test('writes client commands of every event, which lose nothing without a server, and no key', async () => {
  const home = new Home();
  const { code, out, err } = await home.run('install', 'claude-code');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toContain(`${home.path(SETTINGS)}: created; 13 hooks\n`);
  const settings = home.json(SETTINGS) as { hooks: Record<string, unknown> };
  expect(Object.keys(settings)).toEqual(['hooks']);
  expect(Object.keys(settings.hooks)).toHaveLength(13);
  for (const [event, groups] of Object.entries(settings.hooks))
    expect(groups).toEqual([
      {
        // Only reads have context: other tools are not delayed.
        ...(event === 'PreToolUse' ? { matcher: 'Read' } : {}),
        hooks: [
          {
            type: 'command',
            command: expect.stringContaining(`client.cjs ${event} --data-dir ${home.path('.recollect')}`),
            timeout: 5,
          },
        ],
      },
    ]);
  expect(home.mode(SETTINGS)).toBe(0o644);
});

test('copies the client into the data directory, so that settings name no path of the program', async () => {
  const home = new Home();
  const copy = `.recollect/client/${VERSION}/client.cjs`;
  await home.run('install', 'claude-code', '--dry-run');
  expect(existsSync(home.path('.recollect/client'))).toBe(false);
  expect((await home.run('install', 'claude-code')).out).toContain(`${home.path(copy)}: the client of version`);
  expect(home.read(SETTINGS)).toContain(`${home.path(copy)} Stop --data-dir`);
  expect(home.read(SETTINGS)).not.toContain(path.resolve('hook'));
  const spooled = spawnSync(process.execPath, [home.path(copy), 'Stop', '--data-dir', home.path('.recollect')], {
    input: JSON.stringify({ hook_event_name: 'Stop', session_id: 's', cwd: '/' }),
    env: {},
  });
  expect(spooled).toMatchObject({ status: 0, stderr: Buffer.of() });
  expect(home.list('.recollect/spool')).not.toEqual([]);
  home.write(copy, '// of an earlier build');
  expect((await home.run('install', 'claude-code')).out).toContain('the client of version');
  expect(home.read(copy)).toBe(readFileSync(BUILT_CLIENT, 'utf8'));
});

test.each([
  '/home/a/.npm/_npx/0a1b2c3d/node_modules/recollect/cli/bin.mjs',
  '/home/a/.cache/pnpm/dlx/x/node_modules/recollect/cli/bin.mjs',
  '/tmp/bunx-1000-recollect@latest/node_modules/recollect/cli/bin.mjs',
])('rejects %s, which a package manager deletes', (file) => {
  expect(() => assertDurable('/usr/bin/node', file)).toThrow(/Run npm install --global recollect/);
});

test.each(['/usr/lib/node_modules/recollect/cli/bin.mjs', '/home/a/npx/recollect/cli/bin.mjs'])(
  'accepts %s in settings',
  (file) => {
    expect(isInPackageCache(file)).toBe(false);
    expect(() => assertDurable(file)).not.toThrow();
  },
);

test('with HTTP writes hooks of every event, the start by the client, and the risk', async () => {
  const home = new Home();
  const { code, out } = await home.run('install', 'claude-code', ...HTTP);
  expect(out).toContain('Events are lost while the server is unreachable, unless transcripts supply them');
  expect(code).toBe(0);
  expect(out).toContain(`Claude Code sends 13 hooks to ${URL_HERE}.`);
  expect(out).toContain(`${home.path(SETTINGS)}: created; 13 hooks, the key, readable by the owner only`);
  expect(out).not.toContain(KEY);
  const settings = home.json(SETTINGS) as {
    env: unknown;
    hooks: Record<string, { matcher?: string; hooks: object[] }[]>;
  };
  expect(settings.env).toEqual({ RECOLLECT_API_KEY: KEY });
  expect(Object.keys(settings.hooks)).toEqual([
    'SessionStart',
    'UserPromptSubmit',
    'PreToolUse',
    'PostToolUse',
    'PostToolUseFailure',
    'SubagentStart',
    'SubagentStop',
    'Stop',
    'StopFailure',
    'PreCompact',
    'PostCompact',
    'Notification',
    'SessionEnd',
  ]);
  expect(settings.hooks['Stop']).toEqual([
    {
      hooks: [
        {
          type: 'http',
          url: `${URL_HERE}/api/v1/hooks/Stop`,
          headers: { Authorization: 'Bearer $RECOLLECT_API_KEY' },
          allowedEnvVars: ['RECOLLECT_API_KEY'],
          timeout: 1,
        },
      ],
    },
  ]);
  // Hooks that may return context have a longer timeout.
  const waited = Object.entries(settings.hooks).map(([event, groups]) => [event, groups[0]?.hooks[0]]);
  expect(waited.filter(([, hook]) => JSON.stringify(hook).includes('"timeout":2'))).toEqual([
    ['UserPromptSubmit', expect.anything()],
    ['PreToolUse', expect.anything()],
  ]);
  // Only reads have context: other tools are not delayed.
  expect(
    Object.entries(settings.hooks).flatMap(([event, [group]]) =>
      group?.matcher === undefined ? [] : [[event, group.matcher]],
    ),
  ).toEqual([['PreToolUse', 'Read']]);
  expect(waited.filter(([, hook]) => JSON.stringify(hook).includes('"timeout":5'))).toEqual([
    ['SessionStart', expect.objectContaining({ type: 'command' })],
  ]);
  expect(settings.hooks['SessionStart']?.[0]?.hooks).toEqual([
    {
      type: 'command',
      command: expect.stringContaining(` SessionStart --data-dir ${home.path('.recollect')}`),
      timeout: 5,
    },
  ]);
  expect(home.mode(SETTINGS)).toBe(0o600);
  expect(home.backups(SETTINGS)).toEqual([]);
});

test('preserves other settings, changes nothing the second time, and restores the same bytes on uninstall', async () => {
  const home = new Home();
  home.write(SETTINGS, FOREIGN);
  await home.run('install', 'claude-code');
  const installed = home.read(SETTINGS);
  expect(installed.startsWith(FOREIGN.slice(0, FOREIGN.indexOf('"COLOUR": "no"') + 14))).toBe(true);
  expect(installed).toContain(
    '{"matcher": "Edit|Write", "hooks": [{"type": "command", "command": "prettier --write"}]}',
  );
  expect(home.backups(SETTINGS)).toHaveLength(1);
  expect(home.read(`.claude/${home.backups(SETTINGS)[0]}`)).toBe(FOREIGN);
  expect(home.mode(`.claude/${home.backups(SETTINGS)[0]}`)).toBe(0o600);

  const again = await home.run('install', 'claude-code');
  expect(again).toMatchObject({ code: 0, out: `Nothing to change: Claude Code has 13 hooks for ${URL_HERE}.\n` });
  expect(home.read(SETTINGS)).toBe(installed);
  expect(home.backups(SETTINGS)).toHaveLength(1);

  expect((await home.run('uninstall', 'claude-code')).code).toBe(0);
  expect(home.read(SETTINGS)).toBe(FOREIGN);
  const none = await home.run('uninstall', 'claude-code');
  expect(none).toMatchObject({ code: 0, out: expect.stringContaining('Nothing to change') });
});

test('uninstall preserves later changes, and removes a file that install created', async () => {
  const home = new Home();
  home.write(SETTINGS, FOREIGN);
  await home.run('install', 'claude-code');
  home.write(SETTINGS, home.read(SETTINGS).replace('"opus"', '"sonnet"'));
  await home.run('uninstall', 'claude-code');
  // A list that was empty before is removed with Recollect's hooks: its former presence is unknown.
  expect(home.read(SETTINGS)).toBe(FOREIGN.replace('"opus"', '"sonnet"').replace(',\n        "Notification": []', ''));
  const empty = new Home();
  await empty.run('install', 'claude-code');
  const { out } = await empty.run('uninstall', 'claude-code');
  expect(out).toContain(`${empty.path(SETTINGS)}: deleted`);
  expect(empty.list('.claude')).toEqual([]);
});

test('another port replaces Recollect’s HTTP hooks and nothing else', async () => {
  const home = new Home();
  home.write(SETTINGS, FOREIGN);
  await home.run('install', 'claude-code', ...HTTP);
  const before = home.read(SETTINGS);
  home.write('.recollect/credentials.json', credentials('http://127.0.0.1:4000', KEY));
  await home.run('install', 'claude-code', ...HTTP);
  expect(home.read(SETTINGS)).toBe(before.replaceAll(URL_HERE, 'http://127.0.0.1:4000'));
  expect(before).toContain(URL_HERE);
  await home.run('uninstall', 'claude-code');
  expect(home.read(SETTINGS)).toBe(FOREIGN);
});

test('replaces a read hook of an earlier version, beside other hooks of that event', async () => {
  const foreign = { matcher: 'Bash', hooks: [{ type: 'command', command: 'lint --staged' }] };
  const home = new Home();
  await home.run('install', 'claude-code');
  const settings = home.json(SETTINGS) as { hooks: Record<string, { hooks: object[] }[]> };
  const [read] = settings.hooks['PreToolUse'] ?? [];
  const earlier = { matcher: 'Read', hooks: read?.hooks.map((hook) => ({ ...hook, timeout: 5 })) };
  home.write(SETTINGS, JSON.stringify({ ...settings, hooks: { ...settings.hooks, PreToolUse: [foreign, earlier] } }));
  await home.run('install', 'claude-code');
  expect((home.json(SETTINGS) as typeof settings).hooks['PreToolUse']).toEqual([foreign, read]);
  await home.run('uninstall', 'claude-code');
  expect((home.json(SETTINGS) as { hooks: unknown }).hooks).toEqual({ PreToolUse: [foreign] });
});

test('with the client the settings contain no key, not even an earlier one', async () => {
  const home = new Home();
  await home.run('install', 'claude-code', ...HTTP);
  const { out } = await home.run('install', 'claude-code', '--namespace', 'team-a');
  expect(out).toContain('13 hooks');
  expect(home.read(SETTINGS)).not.toMatch(/RECOLLECT_API_KEY|"http"/);
  expect(home.read(SETTINGS).match(/client\.cjs \w+ --namespace team-a --data-dir \S+"/g)).toHaveLength(13);
});

test('a namespace is part of the address', async () => {
  const home = new Home();
  await home.run('install', 'claude-code', '--namespace', 'team-a', ...HTTP);
  expect(home.read(SETTINGS)).toContain('/api/v1/hooks/Stop?namespace=team-a"');
});

test('a dry run lists the events, then a line for each hook', async () => {
  const home = new Home();
  home.write(SETTINGS, FOREIGN);
  const { code, out } = await home.run('install', 'claude-code', '--dry-run');
  expect(code).toBe(0);
  const [events = '', diff = ''] = out.split('\n\n');
  expect(events).toContain(`Claude Code would send 13 events to ${URL_HERE} through the client:\n  SessionStart, User`);
  expect(events).toContain('SessionEnd');
  const added = diff.split('\n').filter((line) => /^\+(?!\+)/.test(line));
  expect(added.filter((line) => line.includes('client.cjs'))).toHaveLength(13);
  // A list has its bracket lines, and its hook one line.
  expect(added.length).toBeLessThanOrEqual(3 * 13 + 2);
  expect(home.read(SETTINGS)).toBe(FOREIGN);
});

test('a dry run shows the diff without the values of keys, and writes nothing', async () => {
  const home = new Home();
  home.write(SETTINGS, FOREIGN.replace('"COLOUR": "no"', '"MY_TOKEN": "abcdefgh1234"'));
  const { code, out } = await home.run('install', 'claude-code', '--dry-run', ...HTTP);
  expect(code).toBe(0);
  expect(out).toContain(`--- ${home.path(SETTINGS)}\n+++ `);
  expect(out).toContain(`+            { "hooks": [ { "type": "http", "url": "${URL_HERE}/api/v1/hooks/SessionEnd"`);
  expect(out).not.toContain(KEY);
  expect(out).not.toContain('abcdefgh1234');
  expect(home.list('.claude')).toEqual(['settings.json']);
  await home.run('install', 'claude-code', ...HTTP);
  expect((await home.run('install', 'claude-code', '--dry-run', ...HTTP)).out).toBe('Nothing to change.\n');
  expect((await home.run('uninstall', 'claude-code', '--dry-run')).out).toContain(
    `-            { "hooks": [ { "type": "http", "url": "${URL_HERE}`,
  );
  expect(home.backups(SETTINGS)).toHaveLength(1);
});

test('CLAUDE_CONFIG_DIR sets the settings folder', async () => {
  const home = new Home();
  const other = new Home({ url: URL_HERE, agent_api_key: KEY }, { CLAUDE_CONFIG_DIR: home.path('elsewhere') });
  await other.run('install', 'claude-code');
  expect(home.list('elsewhere')).toEqual(['settings.json']);
});

test('removes other users’ access to a settings file with a key', async () => {
  const home = new Home();
  await home.run('install', 'claude-code', ...HTTP);
  chmodSync(home.path(SETTINGS), 0o644);
  const { out } = await home.run('install', 'claude-code', ...HTTP);
  expect(out).toContain(`${home.path(SETTINGS)}: closed`);
  expect(home.mode(SETTINGS)).toBe(0o600);
});

describe('a project', () => {
  test('has the hooks in its settings and the key in its local ones', async () => {
    const home = new Home();
    home.write('project/.claude/settings.json', '{}\n');
    const { code, err, out } = await home.run('install', 'claude-code', '--project', home.path('project'), ...HTTP);
    expect(code).toBe(0);
    expect(home.read('project/.claude/settings.json')).not.toContain(KEY);
    expect(home.mode('project/.claude/settings.json')).toBe(0o644);
    expect(home.json('project/.claude/settings.local.json')).toEqual({ env: { RECOLLECT_API_KEY: KEY } });
    expect(home.mode('project/.claude/settings.local.json')).toBe(0o600);
    expect(out).toContain('contain the path of the client on this machine');
    expect(err).toBe('');
    expect(home.list('.')).toEqual(['.recollect', 'project']);
    await home.run('uninstall', 'claude-code', '--project', home.path('project'));
    expect(home.read('project/.claude/settings.json')).toBe('{}\n');
    expect(home.list('project/.claude')).not.toContain('settings.local.json');
  });

  test('warns if git would commit the key', async () => {
    const home = new Home();
    mkdirSync(home.path('project'));
    execFileSync('git', ['init', '-q', home.path('project')]);
    // Git runs this program whenever it reads the index.
    home.write('project/.git/config', `[core]\n\tfsmonitor = "touch ${home.path('marker')}; false"\n`);
    execFileSync('git', ['-C', home.path('project'), '-c', 'core.fsmonitor=', 'update-index', '--fsmonitor'], {
      stdio: 'ignore',
    });
    const open = await home.run('install', 'claude-code', '--project', home.path('project'), ...HTTP);
    expect(open.err).toContain('git does not ignore it');
    home.write('project/.gitignore', '.claude/settings.local.json\n');
    home.write('.recollect/credentials.json', credentials('http://127.0.0.1:4000', KEY));
    const closed = await home.run('install', 'claude-code', '--project', home.path('project'), ...HTTP);
    expect(closed).toMatchObject({ code: 0, err: '' });
    expect(existsSync(home.path('marker'))).toBe(false);
  });
});

test('replaces an installed operator’s key by the agents’ key', async () => {
  const home = new Home();
  home.write(SETTINGS, JSON.stringify({ env: { RECOLLECT_API_KEY: OPERATORS_KEY } }));
  expect((await home.run('install', 'claude-code', ...HTTP)).code).toBe(0);
  expect(home.json(SETTINGS)).toMatchObject({ env: { RECOLLECT_API_KEY: KEY } });
  expect(home.read(SETTINGS)).not.toContain(OPERATORS_KEY);
});

describe('backups', () => {
  const changed = (home: Home, model: string) =>
    home.write(SETTINGS, home.read(SETTINGS).replace(/"model": "\w+"/, `"model": "${model}"`));
  const texts = (home: Home) => home.backups(SETTINGS).map((name) => home.read(`.claude/${name}`));

  test('never contain the key, and uninstall names those that remain', async () => {
    const home = new Home();
    home.write(SETTINGS, FOREIGN);
    await home.run('install', 'claude-code', ...HTTP);
    changed(home, 'sonnet');
    const { out } = await home.run('install', 'claude-code', ...HTTP, '--namespace', 'team-a');
    expect(texts(home)).toEqual([FOREIGN, expect.stringContaining('"model": "sonnet"')]);
    expect(texts(home).join('')).not.toContain(KEY);
    const [, second = ''] = home.backups(SETTINGS);
    expect(out).toContain(`backup: ${home.path(`.claude/${second}`)}`);

    const removed = await home.run('uninstall', 'claude-code');
    for (const name of home.backups(SETTINGS)) expect(removed.out).toContain(`  ${home.path(`.claude/${name}`)}\n`);
    expect(removed.out).toContain('Backups of the settings');
    expect(texts(home).join('')).not.toContain(KEY);
    expect((await home.run('uninstall', 'claude-code')).out).toContain(home.backups(SETTINGS)[0]);
  });

  test('are the last three', async () => {
    const home = new Home();
    home.write(SETTINGS, FOREIGN);
    for (const model of ['a', 'b', 'c', 'd', 'e']) {
      await home.run('install', 'claude-code', '--namespace', model);
      changed(home, model);
    }
    expect(texts(home).map((text) => /"model": "(\w+)"/.exec(text)?.[1])).toEqual(['b', 'c', 'd']);
  });

  test('are not written if only Recollect’s part differs from one', async () => {
    const home = new Home();
    home.write(SETTINGS, FOREIGN);
    for (const name of ['a', 'b', 'c', 'd', 'e']) await home.run('install', 'claude-code', '--namespace', name);
    expect(texts(home)).toEqual([FOREIGN]);
    await home.run('uninstall', 'claude-code');
    expect(home.read(SETTINGS)).toBe(FOREIGN);
  });
});

describe('the version of Claude Code', () => {
  test('is checked before anything is written', async () => {
    const home = new Home();
    home.claudeCode('2.1.77 (Claude Code)');
    const { code, out, err } = await home.run('install', 'claude-code');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('Claude Code 2.1.77 lacks some of the hooks');
    expect(err).toContain('2.1.78 or newer is required. Run claude update');
    expect(home.list('.')).toEqual(['.recollect']);
    expect((await home.run('install', 'claude-code', '--no-check')).code).toBe(0);
    expect((await home.run('uninstall', 'claude-code')).code).toBe(0);
    expect((await home.run('install', 'cursor')).code).toBe(0);
  });

  test.each(['2.1.78 (Claude Code)', '2.1.330 (Claude Code)', '10.0.0', 'no version', null])(
    'may be %s',
    async (output) => {
      const home = new Home();
      home.claudeCode(output);
      expect(await home.run('install', 'claude-code')).toMatchObject({ code: 0, err: '' });
    },
  );
});

describe('writes nothing and reports the reason for', () => {
  test.each([
    ['broken JSON', '{"env": {"A_KEY": "do-not-show", }', /is not JSON \(line 1, column \d+\)/],
    ['a list', '[1]', /not a JSON object/],
    ['hooks of another shape', '{"hooks": []}', /`hooks` in the settings is not an object/],
    ['an event of another shape', '{"hooks": {"Stop": "x"}}', /`hooks\.Stop` in the settings is not a list/],
    ['an env of another shape', '{"env": [1]}', /`env` in the settings is not an object/],
  ])('%s', async (_what, text, why) => {
    const home = new Home();
    home.write(SETTINGS, text);
    const { code, out, err } = await home.run('install', 'claude-code');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(why);
    expect(err).not.toContain('do-not-show');
    expect(home.read(SETTINGS)).toBe(text);
    expect(home.list('.claude')).toEqual(['settings.json']);
  });

  test('a file that is read-only', async () => {
    const home = new Home();
    home.write(SETTINGS, '{}', 0o444);
    expect(await home.run('install', 'claude-code')).toMatchObject({
      code: 1,
      err: expect.stringContaining('read-only'),
    });
    expect(home.read(SETTINGS)).toBe('{}');
  });

  test('a folder in its place', async () => {
    const home = new Home();
    mkdirSync(home.path(SETTINGS), { recursive: true });
    expect(await home.run('install', 'claude-code')).toMatchObject({
      code: 1,
      err: expect.stringContaining('is not a file'),
    });
  });

  test('an instance of an older version without a key for agents', async () => {
    const home = new Home();
    home.write('.recollect/credentials.json', JSON.stringify({ url: URL_HERE, api_key: OPERATORS_KEY }));
    expect(await home.run('install', 'claude-code')).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('Restart the instance with recollect up'),
    });
    expect(home.list('.')).toEqual(['.recollect']);
  });

  test('no instance', async () => {
    const home = new Home(null);
    expect(await home.run('install', 'claude-code')).toMatchObject({
      code: 3,
      err: expect.stringContaining('recollect up'),
    });
    expect(home.list('.')).toEqual([]);
  });

  test('invalid credentials', async () => {
    const home = new Home();
    home.write('.recollect/credentials.json', '{"url": 1}');
    expect(await home.run('install', 'claude-code')).toMatchObject({
      code: 1,
      err: expect.stringContaining('credentials.json'),
    });
  });

  test('one of two files of a project: the other stays unchanged, too', async () => {
    const home = new Home();
    home.write('p/.claude/settings.json', '{"hooks": []}');
    expect((await home.run('install', 'claude-code', '--project', home.path('p'))).code).toBe(1);
    expect(home.list('p/.claude')).toEqual(['settings.json']);
  });
});
