import { homedir } from 'node:os';
import path from 'node:path';
import type { Environment } from '../../config/process-environment.ts';
import { LABEL, launchdAgent } from './launchd-agent.ts';
import type { ServiceDefinition } from './service-definition.ts';
import { systemdUnit, UNIT } from './systemd-unit.ts';

type Command = readonly [program: string, ...args: string[]];

/** The system's service manager and its commands. */
export interface ServiceManager {
  readonly name: 'systemd' | 'launchd';
  /** Service file. */
  readonly file: string;
  readonly render: (definition: ServiceDefinition) => string;
  /** Load the file and start the service; idempotent. */
  readonly start: readonly Command[];
  /** May fail if nothing is loaded. */
  readonly beforeStart: readonly Command[];
  readonly stop: readonly Command[];
  readonly afterRemoval: readonly Command[];
  /** Exits with 0 while the service runs. */
  readonly status: Command;
  /** Hint for the user. */
  readonly note: string;
}

/** Returns the service manager of this system; null if unsupported. `userId` is the owner of the service. */
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
      note: 'Starts at login. To start at boot without a login: loginctl enable-linger',
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
      note: 'Starts at login.',
    };
  }
  return null;
}
