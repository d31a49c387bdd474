import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { outputOf } from './support/tools.ts';

const CONFIG = fileURLToPath(new URL('../../observability/alertmanager.yml', import.meta.url));

test('amtool accepts the configuration', () => {
  const output = outputOf('amtool', 'check-config', CONFIG);
  expect(output).toContain('SUCCESS');
  expect(output).toContain('4 receivers');
});

test.each([
  ['P0', 'RecollectUnfindable', 'recollect-page'],
  ['P1', 'RecollectBacklog', 'recollect-today'],
  ['P2', 'RecollectCertificate', 'recollect-planned'],
  ['none', 'RecollectWatchdog', 'recollect-watchdog'],
])('an alert of priority %s goes to its receiver: %s', (priority, alert, receiver) => {
  const output = outputOf(
    'amtool',
    'config',
    'routes',
    'test',
    `--config.file=${CONFIG}`,
    `--verify.receivers=${receiver}`,
    `alertname=${alert}`,
    `priority=${priority}`,
  );
  expect(output.split('\n')[0]).toBe(receiver);
  expect(output).not.toContain('exit code');
});
