import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { credentials, Home, KEY, OPERATORS_KEY, URL_HERE } from './support/home.ts';

const SETTINGS = '.claude/settings.json';
const THEIRS = `{
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

test('hooks of every event are written: over HTTP, the start by the client, and nothing before a tool', async () => {
  const home = new Home();
  const { code, out } = await home.run('install', 'claude-code');
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
  // Those that may be answered with context are waited for a little longer.
  const waited = Object.entries(settings.hooks).map(([event, groups]) => [event, groups[0]?.hooks[0]]);
  expect(waited.filter(([, hook]) => JSON.stringify(hook).includes('"timeout":2'))).toEqual([
    ['UserPromptSubmit', expect.anything()],
    ['PreToolUse', expect.anything()],
  ]);
  // Only before a read may something be known: other tools are not held up.
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

test('what others wrote stays, a second run changes nothing, and uninstalling gives the same bytes back', async () => {
  const home = new Home();
  home.write(SETTINGS, THEIRS);
  await home.run('install', 'claude-code');
  const installed = home.read(SETTINGS);
  expect(installed.startsWith(THEIRS.slice(0, THEIRS.indexOf('"COLOUR": "no"') + 14))).toBe(true);
  expect(installed).toContain(
    '{"matcher": "Edit|Write", "hooks": [{"type": "command", "command": "prettier --write"}]}',
  );
  expect(home.backups(SETTINGS)).toHaveLength(1);
  expect(home.read(`.claude/${home.backups(SETTINGS)[0]}`)).toBe(THEIRS);
  expect(home.mode(`.claude/${home.backups(SETTINGS)[0]}`)).toBe(0o600);

  const again = await home.run('install', 'claude-code');
  expect(again).toMatchObject({ code: 0, out: `Nothing to change: Claude Code has its 13 hooks for ${URL_HERE}.\n` });
  expect(home.read(SETTINGS)).toBe(installed);
  expect(home.backups(SETTINGS)).toHaveLength(1);

  expect((await home.run('uninstall', 'claude-code')).code).toBe(0);
  expect(home.read(SETTINGS)).toBe(THEIRS);
  const none = await home.run('uninstall', 'claude-code');
  expect(none).toMatchObject({ code: 0, out: expect.stringContaining('Nothing to change') });
});

test('uninstalling keeps what was changed since, and leaves no file where there was none', async () => {
  const home = new Home();
  home.write(SETTINGS, THEIRS);
  await home.run('install', 'claude-code');
  home.write(SETTINGS, home.read(SETTINGS).replace('"opus"', '"sonnet"'));
  await home.run('uninstall', 'claude-code');
  // A list that was empty before and took ours is gone: nothing tells any more that it was there.
  expect(home.read(SETTINGS)).toBe(THEIRS.replace('"opus"', '"sonnet"').replace(',\n        "Notification": []', ''));
  const empty = new Home();
  await empty.run('install', 'claude-code');
  const { out } = await empty.run('uninstall', 'claude-code');
  expect(out).toContain(`${empty.path(SETTINGS)}: deleted`);
  expect(empty.list('.claude')).toEqual([]);
});

test('another port replaces ours and nothing else', async () => {
  const home = new Home();
  home.write(SETTINGS, THEIRS);
  await home.run('install', 'claude-code');
  const before = home.read(SETTINGS);
  home.write('.recollect/credentials.json', credentials('http://127.0.0.1:4000', KEY));
  await home.run('install', 'claude-code');
  expect(home.read(SETTINGS)).toBe(before.replaceAll(URL_HERE, 'http://127.0.0.1:4000'));
  await home.run('uninstall', 'claude-code');
  expect(home.read(SETTINGS)).toBe(THEIRS);
});

test('a hook before a read that an earlier version wrote becomes ours of today, beside what others have there', async () => {
  const theirs = { matcher: 'Bash', hooks: [{ type: 'command', command: 'lint --staged' }] };
  const home = new Home();
  await home.run('install', 'claude-code');
  const settings = home.json(SETTINGS) as { hooks: Record<string, { hooks: object[] }[]> };
  const [read] = settings.hooks['PreToolUse'] ?? [];
  const earlier = { matcher: 'Read', hooks: read?.hooks.map((hook) => ({ ...hook, timeout: 5 })) };
  home.write(SETTINGS, JSON.stringify({ ...settings, hooks: { ...settings.hooks, PreToolUse: [theirs, earlier] } }));
  await home.run('install', 'claude-code');
  expect((home.json(SETTINGS) as typeof settings).hooks['PreToolUse']).toEqual([theirs, read]);
  await home.run('uninstall', 'claude-code');
  expect((home.json(SETTINGS) as { hooks: unknown }).hooks).toEqual({ PreToolUse: [theirs] });
});

test('by the client alone there is no key in the settings, nor one left of before', async () => {
  const home = new Home();
  await home.run('install', 'claude-code');
  const { out } = await home.run('install', 'claude-code', '--transport', 'client', '--namespace', 'team-a');
  expect(out).toContain('13 hooks');
  expect(home.read(SETTINGS)).not.toMatch(/RECOLLECT_API_KEY|"http"/);
  expect(home.read(SETTINGS).match(/client\.cjs \w+ --namespace team-a --data-dir \S+"/g)).toHaveLength(13);
});

test('a namespace is asked for in the address', async () => {
  const home = new Home();
  await home.run('install', 'claude-code', '--namespace', 'team-a');
  expect(home.read(SETTINGS)).toContain('/api/v1/hooks/Stop?namespace=team-a"');
});

test('a dry run shows the difference without the values of keys, and writes nothing', async () => {
  const home = new Home();
  home.write(SETTINGS, THEIRS.replace('"COLOUR": "no"', '"MY_TOKEN": "abcdefgh1234"'));
  const { code, out } = await home.run('install', 'claude-code', '--dry-run');
  expect(code).toBe(0);
  expect(out).toContain(`--- ${home.path(SETTINGS)}\n+++ `);
  expect(out).toContain(`+                        "url": "${URL_HERE}/api/v1/hooks/SessionEnd"`);
  expect(out).not.toContain(KEY);
  expect(out).not.toContain('abcdefgh1234');
  expect(home.list('.claude')).toEqual(['settings.json']);
  await home.run('install', 'claude-code');
  expect((await home.run('install', 'claude-code', '--dry-run')).out).toBe('Nothing to change.\n');
  expect((await home.run('uninstall', 'claude-code', '--dry-run')).out).toContain(
    `-                        "url": "${URL_HERE}`,
  );
  expect(home.backups(SETTINGS)).toHaveLength(1);
});

test('CLAUDE_CONFIG_DIR says where the settings are', async () => {
  const home = new Home();
  const other = new Home({ url: URL_HERE, agent_api_key: KEY }, { CLAUDE_CONFIG_DIR: home.path('elsewhere') });
  await other.run('install', 'claude-code');
  expect(home.list('elsewhere')).toEqual(['settings.json']);
});

test('a key that others could read is closed', async () => {
  const home = new Home();
  await home.run('install', 'claude-code');
  chmodSync(home.path(SETTINGS), 0o644);
  const { out } = await home.run('install', 'claude-code');
  expect(out).toContain(`${home.path(SETTINGS)}: closed`);
  expect(home.mode(SETTINGS)).toBe(0o600);
});

describe('a project', () => {
  test('gets the hooks in its settings and the key in its local ones', async () => {
    const home = new Home();
    home.write('project/.claude/settings.json', '{}\n');
    const { code, err, out } = await home.run('install', 'claude-code', '--project', home.path('project'));
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

  test('is told when git would take the key', async () => {
    const home = new Home();
    mkdirSync(home.path('project'));
    execFileSync('git', ['init', '-q', home.path('project')]);
    // Git asks this program about changed files whenever it reads the index.
    home.write('project/.git/config', `[core]\n\tfsmonitor = "touch ${home.path('marker')}; false"\n`);
    execFileSync('git', ['-C', home.path('project'), '-c', 'core.fsmonitor=', 'update-index', '--fsmonitor'], {
      stdio: 'ignore',
    });
    const open = await home.run('install', 'claude-code', '--project', home.path('project'));
    expect(open.err).toContain('git does not ignore it');
    home.write('project/.gitignore', '.claude/settings.local.json\n');
    home.write('.recollect/credentials.json', credentials('http://127.0.0.1:4000', KEY));
    const closed = await home.run('install', 'claude-code', '--project', home.path('project'));
    expect(closed).toMatchObject({ code: 0, err: '' });
    expect(existsSync(home.path('marker'))).toBe(false);
  });
});

test('a key of the operator that was installed before gives way to that of agents', async () => {
  const home = new Home();
  home.write(SETTINGS, JSON.stringify({ env: { RECOLLECT_API_KEY: OPERATORS_KEY } }));
  expect((await home.run('install', 'claude-code')).code).toBe(0);
  expect(home.json(SETTINGS)).toMatchObject({ env: { RECOLLECT_API_KEY: KEY } });
  expect(home.read(SETTINGS)).not.toContain(OPERATORS_KEY);
});

describe('nothing is written, and it is said why', () => {
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

  test('an instance of an older version, which made no key for agents', async () => {
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

  test('credentials that are none', async () => {
    const home = new Home();
    home.write('.recollect/credentials.json', '{"url": 1}');
    expect(await home.run('install', 'claude-code')).toMatchObject({
      code: 1,
      err: expect.stringContaining('credentials.json'),
    });
  });

  test('one of two files of a project: the other stays as it was, too', async () => {
    const home = new Home();
    home.write('p/.claude/settings.json', '{"hooks": []}');
    expect((await home.run('install', 'claude-code', '--project', home.path('p'))).code).toBe(1);
    expect(home.list('p/.claude')).toEqual(['settings.json']);
  });
});
