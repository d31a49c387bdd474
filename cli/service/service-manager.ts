import { homedir } from 'node:os';
import path from 'node:path';
import type { Environment } from '../../config/process-environment.ts';
import { LABEL, launchdAgent } from './launchd-agent.ts';
import type { ServiceDefinition } from './service-definition.ts';
import { systemdUnit, UNIT } from './systemd-unit.ts';

type Command = readonly [program: string, ...args: string[]];

/** Who starts programs at login on this system, and how it is told. */
export interface ServiceManager {
  readonly name: 'systemd' | 'launchd';
  /** The file that it reads. */
  readonly file: string;
  readonly render: (definition: ServiceDefinition) => string;
  /** Commands that make it read the file and start the service; each may run again. */
  readonly start: readonly Command[];
  /** Commands that may fail because nothing is loaded yet. */
  readonly beforeStart: readonly Command[];
  readonly stop: readonly Command[];
  readonly afterRemoval: readonly Command[];
  /** Ends with 0 while the service runs. */
  readonly status: Command;
  /** What else the user may want to know. */
  readonly note: string;
}

/** The manager of this system; null where none is known. `userId` is that of the user whose service it is. */
export function serviceManager(
  system: NodeJS.Platform,
  environment: Environment,
  userId: number,
): ServiceManager | null {
  const home = environment['HOME'] ?? homedir();
  if (system === 'linux') {
    const config = environment['XDG_CONFIG_HOME'];
    const folder = config && path.isAbsolute(config) ? config : path.join(home, '.config');
    const reload: Command = ['systemctl', '--user', 'daemon-reload'];
    return {
      name: 'systemd',
      file: path.join(folder, 'systemd', 'user', UNIT),
      render: systemdUnit,
      beforeStart: [],
      start: [reload, ['systemctl', '--user', 'enable', '--now', UNIT]],
      stop: [['systemctl', '--user', 'disable', '--now', UNIT]],
      afterRemoval: [reload],
      status: ['systemctl', '--user', 'is-active', UNIT],
      note: 'It starts when you log in. For a machine nobody logs in to: loginctl enable-linger',
    };
  }
  if (system === 'darwin') {
    const file = path.join(home, 'Library', 'LaunchAgents', `${LABEL}.plist`);
    const domain = `gui/${userId}`;
    return {
      name: 'launchd',
      file,
      render: launchdAgent,
      beforeStart: [['launchctl', 'bootout', `${domain}/${LABEL}`]],
      start: [['launchctl', 'bootstrap', domain, file]],
      stop: [['launchctl', 'bootout', `${domain}/${LABEL}`]],
      afterRemoval: [],
      status: ['launchctl', 'print', `${domain}/${LABEL}`],
      note: 'It starts when you log in.',
    };
  }
  return null;
}
