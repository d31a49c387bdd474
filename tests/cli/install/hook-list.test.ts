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
const client = (event: string, folder = '/home/dev/.recollect') => ({
  type: 'command',
  command: `/usr/bin/node ${folder}/client/1.2.3/client.cjs ${event} --data-dir /home/dev/.recollect`,
  timeout: 5,
});
const foreign = { type: 'command', command: 'prettier --write' };
const wanted = (port = 37700) => [
  { event: 'SessionStart', entry: { hooks: [client('SessionStart')] } },
  { event: 'Stop', entry: { hooks: [http('Stop', port)] } },
];
const file = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
const merged = (value: unknown, port?: number): unknown => JSON.parse(mergeHooks(file(value), 'grouped', wanted(port)));

describe('Recollect’s hooks', () => {
  it.each<[string, unknown]>([
    ['over HTTP', http('Stop')],
    [
      'with a query and a path before it',
      { ...http('Stop'), url: 'https://a.example.org/x/api/v1/hooks/Stop?namespace=n' },
    ],
    ['the client', client('Stop')],
    [
      'the client in a folder with a blank',
      { command: "'/usr/bin/node' '/my dir/client/1.0.0-rc.1/client.cjs' stop --host cursor --data-dir '/d d'" },
    ],
  ])('include: %s', (_what, hook) => {
    expect(isOwn(hook)).toBe(true);
  });

  it.each<[string, unknown]>([
    ['another address', { ...http('Stop'), url: 'http://127.0.0.1:37700/hooks/Stop' }],
    ['the same route with another key', { ...http('Stop'), headers: { Authorization: 'Bearer $OTHER' } }],
    ['no headers', { type: 'http', url: http('Stop').url }],
    ['a command of another program', foreign],
    ['a client without a version', { command: 'node /x/client/client.cjs Stop --data-dir /d' }],
    ['another program beside a version', { command: 'node /x/client/1.2.3/run.cjs Stop --data-dir /d' }],
    ['what a person wrote', { command: 'recollect hook Stop' }],
    ['nothing', null],
    ['a text', 'client/1.2.3/client.cjs Stop --data-dir'],
  ])('do not include: %s', (_what, hook) => {
    expect(isOwn(hook)).toBe(false);
  });
});

describe('merging', () => {
  it('adds to existing hooks', () => {
    const before = { model: 'm', hooks: { Stop: [{ hooks: [foreign] }], Other: [] } };
    expect(merged(before)).toEqual({
      model: 'm',
      hooks: {
        Stop: [{ hooks: [foreign] }, { hooks: [http('Stop')] }],
        Other: [],
        SessionStart: [{ hooks: [client('SessionStart')] }],
      },
    });
  });

  it('changes nothing the second time', () => {
    const once = mergeHooks(file({ hooks: { Stop: [{ hooks: [foreign] }] } }), 'grouped', wanted());
    expect(mergeHooks(once, 'grouped', wanted())).toBe(once);
  });

  it('replaces Recollect’s hooks of another port or folder in place, and removes those of obsolete events', () => {
    const before = {
      hooks: {
        Stop: [{ hooks: [http('Stop', 4000)] }, { matcher: 'x', hooks: [foreign] }],
        OldEvent: [{ hooks: [client('OldEvent', '/old')] }],
        Shared: [{ hooks: [foreign, client('Shared', '/old')] }],
      },
    };
    expect(merged(before)).toEqual({
      hooks: {
        Stop: [{ hooks: [http('Stop')] }, { matcher: 'x', hooks: [foreign] }],
        Shared: [{ hooks: [foreign] }],
        SessionStart: [{ hooks: [client('SessionStart')] }],
      },
    });
  });

  it('removes Recollect’s hooks from other and several groups, and writes one', () => {
    const before = {
      hooks: {
        Stop: [
          { hooks: [http('Stop'), foreign, http('Stop', 1)] },
          { hooks: [http('Stop', 2)] },
          { hooks: [http('Stop')] },
        ],
      },
    };
    expect(merged(before)).toMatchObject({ hooks: { Stop: [{ hooks: [foreign] }, { hooks: [http('Stop')] }] } });
  });

  it('ignores invalid entries', () => {
    const odd = [null, 7, 'x', { matcher: 'a' }, { hooks: 'none' }, { hooks: [] }, { hooks: [null, 3] }];
    expect(merged({ hooks: { Stop: odd } })).toMatchObject({ hooks: { Stop: [...odd, { hooks: [http('Stop')] }] } });
  });

  it('rejects another shape and names it', () => {
    expect(() => merged({ hooks: [] })).toThrow('`hooks` in the settings is not an object');
    expect(() => merged({ hooks: { Stop: {} } })).toThrow('`hooks.Stop` in the settings is not a list');
    expect(() => mergeKey(file({ env: 'x' }), 'k')).toThrow('`env` in the settings is not an object');
  });

  it('counts Recollect’s hooks', () => {
    expect(countHooks(file(merged({ hooks: { Stop: [{ hooks: [foreign] }] } })), 'grouped')).toBe(2);
  });
});

describe('a flat list', () => {
  const command = (event: string) => ({ command: client(event).command, timeout: 5 });
  const flat = [{ event: 'stop', entry: command('stop') }];

  it('is merged and cleared the same way', () => {
    const before = file({ version: 1, hooks: { stop: [{ command: './mine.sh' }] } });
    const after = mergeHooks(before, 'flat', flat);
    expect(JSON.parse(after)).toEqual({ version: 1, hooks: { stop: [{ command: './mine.sh' }, command('stop')] } });
    expect(mergeHooks(after, 'flat', flat)).toBe(after);
    expect(withoutOwn(after, 'flat')).toBe(before);
  });
});

describe('the key', () => {
  it('is set, changed only if it differs, and removed with an env that contains nothing else', () => {
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

  it('is the newest copy that equals the remaining settings', () => {
    expect(originalAmong([installed, original, file({ model: 'm' })], remaining, 'grouped')).toBe(original);
  });

  it('is missing if something else was changed later, or the copy is invalid', () => {
    expect(originalAmong([installed, '{', '[]', file({ model: 'other' })], remaining, 'grouped')).toBeNull();
  });

  it('may have been an empty file', () => {
    expect(originalAmong([''], withoutOwn(mergeHooks('{}\n', 'grouped', wanted()), 'grouped'), 'grouped')).toBe('');
  });

  it('is no file if only Recollect’s additions remain', () => {
    expect(isUnneeded('{}\n', {})).toBe(true);
    expect(isUnneeded('{"version": 1}', { version: 1 })).toBe(true);
    expect(isUnneeded('{"version": 1}', {})).toBe(false);
    expect(isUnneeded('{"hooks": {"stop": []}}', {})).toBe(true);
  });
});
