import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCommandIn } from '../../../cli/service/service-commands.ts';
import { testFolder } from '../../infra/support/folder.ts';
import { runCli } from '../support/run-cli.ts';
import { Machine, UNIT } from '../support/service-machine.ts';

describe('the started command', () => {
  const withFiles = (...names: string[]): Machine => {
    const machine = new Machine().withManager();
    mkdirSync(path.join(machine.home, 'data'));
    for (const name of names) writeFileSync(path.join(machine.home, 'data', name), '{}');
    return machine;
  };
  const started = (machine: Machine) => readFileSync(path.join(machine.home, UNIT), 'utf8');

  test('sends transcripts if only a remote server is installed', () => {
    const machine = withFiles('client.json');
    expect(machine.run('install').code).toBe(0);
    const command = `"import" "transcripts" "${machine.home}/claude/projects" "--follow" "--data-dir" "${machine.home}/data"`;
    expect(started(machine)).toContain(command);
    expect(machine.run('status').code).toBe(0);
  });

  test.each([
    ['an instance', ['credentials.json']],
    ['an instance beside such a server', ['client.json', 'credentials.json']],
    ['nothing yet', []],
  ])('is the instance if there is %s', (_what, names) => {
    const machine = withFiles(...names);
    machine.run('install');
    expect(started(machine)).toContain('"up" "--data-dir"');
  });

  test('is the requested one', () => {
    const both = withFiles('client.json', 'credentials.json');
    both.run('install', false, { run: 'transcripts' });
    expect(started(both)).toContain('"--follow"');
    const remote = withFiles('client.json');
    remote.run('install', false, { run: 'instance' });
    expect(started(remote)).toContain('"up"');
    const neither = withFiles();
    expect(neither.run('install', false, { run: 'transcripts' })).toMatchObject({
      code: 1,
      err: expect.stringContaining('--server URL --api-key-file FILE'),
    });
    expect(neither.calls).toEqual([]);
  });
});

describe('with systemd', () => {
  test('writes, loads and starts the unit; a second run does nothing', () => {
    const machine = new Machine().withManager();
    const { code, out } = machine.run('install');
    expect(code).toBe(0);
    expect(out).toContain(`${UNIT}: written\nService started.\n`);
    expect(machine.calls).toEqual([
      'systemctl --user daemon-reload',
      'systemctl --user enable --now recollect.service',
    ]);
    const unit = readFileSync(path.join(machine.home, UNIT), 'utf8');
    expect(unit).toContain(`"${process.execPath}"`);
    expect(unit).toContain('/cli/main.ts" "up" "--data-dir"');
    expect(statSync(path.join(machine.home, UNIT)).mode & 0o777).toBe(0o644);
    expect(machine.run('install')).toMatchObject({ code: 0, out: expect.stringContaining('Nothing to change') });
    expect(machine.calls.at(-1)).toBe('systemctl --user is-active recollect.service');
  });

  test('starts a stopped service again', () => {
    const machine = new Machine().withManager();
    machine.run('install');
    machine.run('uninstall');
    mkdirSync(path.dirname(path.join(machine.home, UNIT)), { recursive: true });
    machine.run('install');
    expect(machine.run('status').code).toBe(0);
  });

  test('status reports the three states', () => {
    const machine = new Machine().withManager();
    expect(machine.run('status')).toMatchObject({ code: 3, out: expect.stringContaining('No service is installed') });
    machine.run('install');
    expect(machine.run('status')).toMatchObject({ code: 0, out: expect.stringContaining('running') });
    const stopped = new Machine().withManager('is-active');
    stopped.run('install');
    expect(stopped.run('status')).toMatchObject({ code: 3, out: expect.stringContaining('not running in systemd') });
  });

  test('uninstall stops the service before it removes the file', () => {
    const machine = new Machine().withManager();
    machine.run('install');
    expect(machine.run('uninstall')).toMatchObject({ code: 0, out: expect.stringContaining(`${UNIT}: removed`) });
    expect(machine.calls.slice(-2)).toEqual([
      'systemctl --user disable --now recollect.service',
      'systemctl --user daemon-reload',
    ]);
    expect(existsSync(path.join(machine.home, UNIT))).toBe(false);
    expect(machine.run('uninstall')).toMatchObject({ code: 0, out: expect.stringContaining('Nothing to change') });
  });

  test.each([
    ['that is not there', null, 'systemctl not found', ['daemon-reload', 'enable --now recollect.service']],
    [
      'that is unreachable',
      'daemon-reload',
      'cannot daemon-reload',
      ['daemon-reload', 'enable --now recollect.service'],
    ],
    ['that does not start it', 'enable', 'cannot enable', ['enable --now recollect.service']],
  ])('prints the remaining commands for a manager %s', (_what, fails, why, left) => {
    const machine = fails === null ? new Machine() : new Machine().withManager(fails);
    const { code, err, out } = machine.run('install');
    expect(code).toBe(1);
    expect(out).toContain(`${UNIT}: written`);
    expect(err).toContain(why);
    expect(err.split('\n').filter((line) => line.startsWith('  '))).toEqual(
      left.map((words) => `  systemctl --user ${words}`),
    );
  });

  test('a dry run prints the file and changes nothing', () => {
    const machine = new Machine().withManager();
    const { code, out } = machine.run('install', true);
    expect(code).toBe(0);
    expect(out).toContain(`# ${path.join(machine.home, UNIT)}\n[Unit]`);
    machine.run('uninstall', true);
    expect(machine.calls).toEqual([]);
    expect(existsSync(path.join(machine.home, '.config'))).toBe(false);
  });
});

describe('with launchd', () => {
  const AGENT = 'Library/LaunchAgents/recollect.instance.plist';

  test('writes and loads the agent, after unloading an older one', () => {
    const machine = new Machine('darwin').withManager();
    expect(machine.run('install').code).toBe(0);
    expect(machine.calls).toEqual([
      'launchctl bootout gui/501/recollect.instance',
      `launchctl bootstrap gui/501 ${path.join(machine.home, AGENT)}`,
    ]);
    expect(machine.run('status').code).toBe(0);
    expect(machine.run('uninstall').code).toBe(0);
    expect(existsSync(path.join(machine.home, AGENT))).toBe(false);
  });
});

test('prints the alternative on another system', () => {
  expect(new Machine('win32').run('install')).toMatchObject({
    code: 1,
    err: expect.stringContaining('recollect up --detach'),
  });
});

test('the command accepts these actions only', async () => {
  const { exitCode, output } = await runCli(['service', 'explode'], { HOME: testFolder() }).ended;
  expect(exitCode).toBe(1);
  expect(output).toContain('Allowed choices are install, uninstall, status');
});

describe('running a program', () => {
  test('returns its exit code, output and errors, and passes arguments without a shell', () => {
    const run = runCommandIn({ PATH: '/usr/bin:/bin' });
    expect(run('sh', ['-c', 'echo "$1"; echo no >&2; exit 7', 'sh', '$(id) ; *'])).toEqual({
      kind: 'ended',
      exitCode: 7,
      stdout: '$(id) ; *\n',
      stderr: 'no\n',
    });
    expect(run('no-such-program-anywhere', [])).toEqual({ kind: 'absent' });
  });
});
