import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { processEnvironment } from '../../../config/process-environment.ts';
import { launchdAgent, serviceManager, systemdUnit } from '../../../cli/service/service-manager.ts';
import { runCommandIn, serviceCommand, ServiceValueError } from '../../../cli/service/service-commands.ts';
import type { ServiceDefinition } from '../../../cli/service/service-commands.ts';
import { testFolder } from '../../infra/support/folder.ts';

const plain: ServiceDefinition = {
  node: '/usr/bin/node',
  cli: '/opt/recollect/cli/main.ts',
  dataDir: '/home/dev/.recollect',
  searchPath: '/usr/bin:/bin',
  follows: null,
};
const awkward: ServiceDefinition = {
  node: '/opt/node 24/bin/node',
  cli: '/home/o"neil & <sons>/100% $HOME/c\\main.ts',
  dataDir: "/home/it's/data dir",
  searchPath: '/a b:/%h:"q"',
  follows: null,
};

/** Splits an ExecStart line as systemd does: quotes, backslashes, doubled percent and dollar. */
function execWords(unit: string): string[] {
  const line = /^ExecStart=(.*)$/m.exec(unit)?.[1] ?? '';
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((match) =>
    (match[1] ?? '')
      .replaceAll(/\\(.)/g, '$1')
      .replaceAll(/%(.?)/g, (_, next: string) => (next === '%' ? '%' : '(a specifier)'))
      .replaceAll(/\$(.?)/g, (_, next: string) => (next === '$' ? '$' : '(a variable)')),
  );
}

/** Returns the strings of a property list's array after a key. */
function plistWords(plist: string): string[] {
  const array = /<key>ProgramArguments<\/key>\s*<array>([^]*?)<\/array>/.exec(plist)?.[1] ?? '';
  return [...array.matchAll(/<string>([^]*?)<\/string>/g)].map((match) =>
    (match[1] ?? '').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'),
  );
}

describe.each([
  ['plain paths', plain],
  ['paths with blanks, quotes, %, $ and signs of XML', awkward],
  ['a folder of transcripts', { ...plain, follows: '/home/o"neil & <sons>/100% $HOME/projects' }],
])('%s', (_what, definition) => {
  test('survive a systemd unit', () => {
    expect(execWords(systemdUnit(definition))).toEqual(serviceCommand(definition));
  });

  test('survive a launchd agent', () => {
    expect(plistWords(launchdAgent(definition))).toEqual(serviceCommand(definition));
  });
});

test('the unit starts at login, again after a failure, and lets the supervisor stop its engines', () => {
  expect(systemdUnit(plain)).toBe(`[Unit]
Description=Recollect, durable memory for coding agents

[Service]
Type=exec
ExecStart="/usr/bin/node" "--max-semi-space-size=4" "/opt/recollect/cli/main.ts" "up" "--data-dir" "/home/dev/.recollect"
Environment="PATH=/usr/bin:/bin"
Restart=on-failure
RestartSec=5
# Stopped, not failed.
SuccessExitStatus=130
# The supervisor stops its engines itself, in order.
KillMode=mixed
TimeoutStopSec=90

[Install]
WantedBy=default.target
`);
  expect(systemdUnit(awkward)).toContain(String.raw`Environment="PATH=/a b:/%%h:\"q\""`);
});

test('following transcripts is another command, restarted after a longer delay: its server may be unavailable', () => {
  const follower = { ...plain, follows: '/home/dev/.claude/projects' };
  expect(serviceCommand(follower).slice(2)).toEqual([
    '/opt/recollect/cli/main.ts',
    'import',
    'transcripts',
    '/home/dev/.claude/projects',
    '--follow',
    '--data-dir',
    '/home/dev/.recollect',
  ]);
  expect(systemdUnit(follower)).toContain('transcripts for a server on another machine');
  expect(systemdUnit(follower)).toContain('RestartSec=60');
  expect(launchdAgent(follower)).toContain('<integer>60</integer>');
  expect(launchdAgent(plain)).toContain('<integer>10</integer>');
});

test('the agent runs at load, again after a failure, and logs into the data directory', () => {
  const agent = launchdAgent(plain);
  expect(agent).toContain('<key>RunAtLoad</key>\n  <true/>');
  expect(agent).toMatch(/<key>KeepAlive<\/key>\s*<dict>\s*<key>SuccessfulExit<\/key>\s*<false\/>/);
  expect(agent.match(/\/home\/dev\/\.recollect\/logs\/service\.log/g)).toHaveLength(2);
});

test('the agent is well-formed XML', () => {
  const tags = [...launchdAgent(awkward).matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)].filter((tag) => tag[3] === '');
  const open: string[] = [];
  const closedWrongly = tags.filter(([, closing, name = '']) =>
    closing !== '' ? open.pop() !== name : open.push(name) === 0,
  );
  expect({ closedWrongly, open }).toEqual({ closedWrongly: [], open: [] });
  expect(launchdAgent(awkward)).not.toMatch(/&(?!amp;|lt;|gt;)/);
});

test.each(['\n', '\r', '\u0000', '\u001b'])('rejects a path with %j: it could start another line', (sign) => {
  for (const render of [systemdUnit, launchdAgent])
    for (const field of ['node', 'cli', 'dataDir', 'searchPath', 'follows'] as const)
      expect(() => render({ ...plain, [field]: `/a${sign}ExecStartPre=/bin/evil` })).toThrow(ServiceValueError);
});

test('systemd accepts the unit', (context) => {
  const folder = testFolder();
  const file = path.join(folder, 'recollect.service');
  writeFileSync(file, systemdUnit({ ...awkward, node: process.execPath }));
  const { PATH } = processEnvironment();
  const run = runCommandIn({ PATH, XDG_RUNTIME_DIR: folder });
  const verified = run('systemd-analyze', ['verify', '--user', '--man=no', file]);
  if (verified.kind === 'absent') return context.skip('systemd-analyze is not on this machine');
  expect(verified).toEqual({ kind: 'ended', exitCode: 0, stdout: '', stderr: '' });
});

describe('the place of the file', () => {
  test.each<[NodeJS.Platform, Record<string, string>, string]>([
    ['linux', { HOME: '/home/dev' }, '/home/dev/.config/systemd/user/recollect.service'],
    ['linux', { HOME: '/home/dev', XDG_CONFIG_HOME: '/cfg' }, '/cfg/systemd/user/recollect.service'],
    ['linux', { HOME: '/home/dev', XDG_CONFIG_HOME: 'relative' }, '/home/dev/.config/systemd/user/recollect.service'],
    ['darwin', { HOME: '/Users/dev' }, '/Users/dev/Library/LaunchAgents/recollect.instance.plist'],
  ])('%s %j', (system, environment, file) => {
    expect(serviceManager(system, environment, 501)?.file).toBe(file);
  });

  test('is null on another system', () => {
    expect(serviceManager('win32', {}, 0)).toBeNull();
  });
});
