import { expect, test } from 'vitest';
import { ConfigError } from '../../../config/config.ts';
import type { Environment } from '../../../config/process-environment.ts';
import { localAccess, requestRestore, RestoreNotStarted } from '../../../infra/instance/request-restore.ts';
import type { LocalAccess } from '../../../infra/instance/request-restore.ts';
import { fileInstance } from '../../setup/file-instance.ts';

const instance = fileInstance();
const drillOf = (store: string) =>
  ({ kind: 'drill', backupId: null, store, signer: null, overwrite: false, dryRun: false }) as const;

function accessWith(changes: Environment): LocalAccess {
  const access = localAccess('/nowhere', { ...instance.environment, ...changes });
  if (access === null) throw new Error('no access to the instance');
  return access;
}

test('a restore whose workflow cannot be started fails, and only a new one: the next is not refused', async () => {
  const states = () => instance.rows('SELECT store, state, error FROM restores ORDER BY id');
  const without = accessWith({ RECOLLECT_TEMPORAL_ADDRESS: '127.0.0.1:9' });
  await expect(requestRestore(without, drillOf('/first'))).rejects.toThrow(/^the workflow was not started: /);
  const failed = { store: '/first', state: 'failed', error: 'TemporalUnavailable' };
  expect(await states()).toEqual([failed]);
  await requestRestore(accessWith({}), drillOf('/second'));
  const running = { store: '/second', state: 'running', error: null };
  expect(await states()).toEqual([failed, running]);
  // The same request again: its workflow runs, whatever this process reaches.
  await expect(requestRestore(without, drillOf('/second'))).rejects.toThrow(RestoreNotStarted);
  expect(await states()).toEqual([failed, running]);
});

test('the engines of an environment that a worker would refuse are not used', () => {
  expect(() => accessWith({ RECOLLECT_TEMPORAL_API_KEY: 'hunter2' })).toThrow(
    new ConfigError('RECOLLECT_TEMPORAL_API_KEY: requires RECOLLECT_TEMPORAL_TLS=true'),
  );
});
