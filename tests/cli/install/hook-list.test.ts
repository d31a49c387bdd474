import { describe, expect, it } from 'vitest';
import {
  countHooks,
  isOwn,
  mergeHooks,
  mergeKey,
  originalAmong,
  isUnneeded,
  withoutOwn,
} from '../../../cli/install/hook-list.ts';

const http = (event: string, port = 37700) => ({
  type: 'http',
  url: `http://127.0.0.1:${port}/api/v1/hooks/${event}`,
  headers: { Authorization: 'Bearer $RECOLLECT_API_KEY' },
  allowedEnvVars: ['RECOLLECT_API_KEY'],
  timeout: 5,
});
const client = (event: string, folder = '/opt/recollect') => ({
  type: 'command',
  command: `/usr/bin/node ${folder}/hook/built/client.cjs ${event} --data-dir /home/dev/.recollect`,
  timeout: 5,
});
const theirs = { type: 'command', command: 'prettier --write' };
const wanted = (port = 37700) => [
  { event: 'SessionStart', entry: { hooks: [client('SessionStart')] } },
  { event: 'Stop', entry: { hooks: [http('Stop', port)] } },
];
const file = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
const merged = (value: unknown, port?: number): unknown => JSON.parse(mergeHooks(file(value), 'grouped', wanted(port)));

describe('ours', () => {
  it.each<[string, unknown]>([
    ['over HTTP', http('Stop')],
    [
      'with a query and a path before it',
      { ...http('Stop'), url: 'https://a.example.org/x/api/v1/hooks/Stop?namespace=n' },
    ],
    ['the client', client('Stop')],
    [
      'the client in a folder with a blank',
      { command: "'/usr/bin/node' '/my dir/hook/built/client.cjs' stop --host cursor --data-dir '/d d'" },
    ],
  ])('are known: %s', (_what, hook) => {
    expect(isOwn(hook)).toBe(true);
  });

  it.each<[string, unknown]>([
    ['another address', { ...http('Stop'), url: 'http://127.0.0.1:37700/hooks/Stop' }],
    ['the same route with another key', { ...http('Stop'), headers: { Authorization: 'Bearer $OTHER' } }],
    ['no headers', { type: 'http', url: http('Stop').url }],
    ['a command of their own', theirs],
    ['a command of a folder hooks', { command: 'node /x/hooks/client.cjs Stop --data-dir /d' }],
    ['another program in a folder hook', { command: 'node /x/hook/run.js Stop' }],
    ['what a person wrote', { command: 'recollect hook Stop' }],
    ['nothing', null],
    ['a text', 'hook/client.cjs Stop --data-dir'],
  ])('are not: %s', (_what, hook) => {
    expect(isOwn(hook)).toBe(false);
  });
});

describe('merging', () => {
  it('adds to what is there', () => {
    const before = { model: 'm', hooks: { Stop: [{ hooks: [theirs] }], Other: [] } };
    expect(merged(before)).toEqual({
      model: 'm',
      hooks: {
        Stop: [{ hooks: [theirs] }, { hooks: [http('Stop')] }],
        Other: [],
        SessionStart: [{ hooks: [client('SessionStart')] }],
      },
    });
  });

  it('changes nothing the second time', () => {
    const once = mergeHooks(file({ hooks: { Stop: [{ hooks: [theirs] }] } }), 'grouped', wanted());
    expect(mergeHooks(once, 'grouped', wanted())).toBe(once);
  });

  it('replaces ours of another port or folder in their place, and takes out those of events no longer wanted', () => {
    const before = {
      hooks: {
        Stop: [{ hooks: [http('Stop', 4000)] }, { matcher: 'x', hooks: [theirs] }],
        OldEvent: [{ hooks: [client('OldEvent', '/old')] }],
        Kept: [{ hooks: [theirs, client('Kept', '/old')] }],
      },
    };
    expect(merged(before)).toEqual({
      hooks: {
        Stop: [{ hooks: [http('Stop')] }, { matcher: 'x', hooks: [theirs] }],
        Kept: [{ hooks: [theirs] }],
        SessionStart: [{ hooks: [client('SessionStart')] }],
      },
    });
  });

  it('takes ours out of somebody’s group and out of several, and writes one', () => {
    const before = {
      hooks: {
        Stop: [
          { hooks: [http('Stop'), theirs, http('Stop', 1)] },
          { hooks: [http('Stop', 2)] },
          { hooks: [http('Stop')] },
        ],
      },
    };
    expect(merged(before)).toMatchObject({ hooks: { Stop: [{ hooks: [theirs] }, { hooks: [http('Stop')] }] } });
  });

  it('does not care for entries that are none', () => {
    const odd = [null, 7, 'x', { matcher: 'a' }, { hooks: 'none' }, { hooks: [] }, { hooks: [null, 3] }];
    expect(merged({ hooks: { Stop: odd } })).toMatchObject({ hooks: { Stop: [...odd, { hooks: [http('Stop')] }] } });
  });

  it('refuses what has another shape, and names it', () => {
    expect(() => merged({ hooks: [] })).toThrow('`hooks` in the settings is not an object');
    expect(() => merged({ hooks: { Stop: {} } })).toThrow('hooks.Stop is no list');
    expect(() => mergeKey(file({ env: 'x' }), 'k')).toThrow('`env` in the settings is not an object');
  });

  it('counts ours', () => {
    expect(countHooks(file(merged({ hooks: { Stop: [{ hooks: [theirs] }] } })), 'grouped')).toBe(2);
  });
});

describe('a flat list', () => {
  const command = (event: string) => ({ command: client(event).command, timeout: 5 });
  const flat = [{ event: 'stop', entry: command('stop') }];

  it('is merged and emptied the same way', () => {
    const before = file({ version: 1, hooks: { stop: [{ command: './mine.sh' }] } });
    const after = mergeHooks(before, 'flat', flat);
    expect(JSON.parse(after)).toEqual({ version: 1, hooks: { stop: [{ command: './mine.sh' }, command('stop')] } });
    expect(mergeHooks(after, 'flat', flat)).toBe(after);
    expect(withoutOwn(after, 'flat')).toBe(before);
  });
});

describe('the key', () => {
  it('is set, changed only where it differs, and taken out with an env that was ours alone', () => {
    const set = mergeKey(file({ model: 'm' }), 'k1');
    expect(JSON.parse(set)).toEqual({ model: 'm', env: { RECOLLECT_API_KEY: 'k1' } });
    expect(mergeKey(set, 'k1')).toBe(set);
    expect(JSON.parse(mergeKey(set, 'k2'))).toMatchObject({ env: { RECOLLECT_API_KEY: 'k2' } });
    expect(mergeKey(set, null)).toBe(file({ model: 'm' }));
    expect(JSON.parse(mergeKey(file({ env: { A: '1', RECOLLECT_API_KEY: 'k' } }), null))).toEqual({ env: { A: '1' } });
    expect(mergeKey(file({ env: {} }), null)).toBe(file({ env: {} }));
  });
});

describe('the original', () => {
  const original = '{ "hooks": {"Stop": []},\n "model" : "m" }';
  const installed = mergeHooks(original, 'grouped', wanted());
  const remaining = withoutOwn(installed, 'grouped');

  it('is the newest copy that says what is left', () => {
    expect(originalAmong([installed, original, file({ model: 'm' })], remaining, 'grouped')).toBe(original);
  });

  it('is none where something else was changed since, or the copy is broken', () => {
    expect(originalAmong([installed, '{', '[]', file({ model: 'other' })], remaining, 'grouped')).toBeNull();
  });

  it('may have been an empty file', () => {
    expect(originalAmong([''], withoutOwn(mergeHooks('{}\n', 'grouped', wanted()), 'grouped'), 'grouped')).toBe('');
  });

  it('was no file where nothing is left but what was made', () => {
    expect(isUnneeded('{}\n', {})).toBe(true);
    expect(isUnneeded('{"version": 1}', { version: 1 })).toBe(true);
    expect(isUnneeded('{"version": 1}', {})).toBe(false);
    expect(isUnneeded('{"hooks": {"stop": []}}', {})).toBe(true);
  });
});
