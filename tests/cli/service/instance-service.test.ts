import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { Machine, UNIT } from '../support/service-machine.ts';

test.each([
  ['linux', UNIT, ['systemctl --user stop', 'systemctl --user daemon-reload', 'systemctl --user enable --now']],
  [
    'darwin',
    'Library/LaunchAgents/recollect.instance.plist',
    ['launchctl bootout', 'launchctl bootout', 'launchctl bootstrap'],
  ],
] as const)(
  'stops the service on %s, starts it with this program, and again with the former one',
  (platform, name, commands) => {
    const machine = new Machine(platform).withManager();
    machine.run('install');
    const text = (): string => readFileSync(path.join(machine.home, name), 'utf8');
    const former = text();
    const installed = machine.calls.length;
    const service = machine.instanceService();
    for (const program of ['this', 'former'] as const) {
      service?.stop();
      expect(machine.run('status').code).toBe(3);
      service?.setProgram(program);
      expect([text().includes('/new/main.js'), text() === former]).toEqual([program === 'this', program === 'former']);
      expect(service?.start()).toBe(true);
      expect(machine.run('status').code).toBe(0);
    }
    const calls = machine.calls.slice(installed).filter((call) => !/is-active|print/.test(call));
    expect(calls).toHaveLength(2 * commands.length);
    for (const [index, call] of calls.entries()) expect(call).toContain(commands[index % commands.length]);
  },
);

test('ignores a service that sends transcripts or has other data', () => {
  const machine = new Machine().withManager();
  expect(machine.instanceService()).toBeNull();
  machine.run('install');
  expect(machine.instanceService()).not.toBeNull();
  expect(machine.instanceService('/other')).toBeNull();
  mkdirSync(path.join(machine.home, 'data'), { recursive: true });
  writeFileSync(path.join(machine.home, 'data', 'client.json'), '{}');
  expect(machine.run('install', false, { run: 'transcripts' }).code).toBe(0);
  expect(machine.instanceService()).toBeNull();
});

test('returns false if the manager does not start the service', () => {
  const machine = new Machine().withManager('enable');
  machine.run('install');
  expect(machine.instanceService()?.start()).toBe(false);
});
