import { homedir } from 'node:os';
import path from 'node:path';
import type { Environment } from '../../config/process-environment.ts';
import { checkValues, restartSeconds, serviceCommand, STOP_SECONDS } from './service-commands.ts';
import type { ServiceDefinition } from './service-commands.ts';

const UNIT = 'recollect.service';

/** Quotes a word of ExecStart; escapes specifiers and variables. */
function execWord(word: string): string {
  return `"${word
    .replaceAll('\\', '\\\\')
    .replaceAll('"', String.raw`\"`)
    .replaceAll('%', '%%')
    .replaceAll('$', '$$$$')}"`;
}

/** Quotes a value of Environment, where `$` has no meaning. */
function environmentWord(word: string): string {
  return `"${word
    .replaceAll('\\', '\\\\')
    .replaceAll('"', String.raw`\"`)
    .replaceAll('%', '%%')}"`;
}

/** Returns the unit of a systemd user service. @throws ServiceValueError for a path with a control character */
export function systemdUnit(definition: ServiceDefinition): string {
  checkValues(definition);
  return `[Unit]
Description=${definition.follows === null ? 'Recollect, durable memory for coding agents' : 'Recollect, transcripts for a server on another machine'}

[Service]
Type=exec
ExecStart=${serviceCommand(definition).map(execWord).join(' ')}
Environment=${environmentWord(`PATH=${definition.searchPath}`)}
Restart=on-failure
RestartSec=${restartSeconds(definition)}
# Stopped, not failed.
SuccessExitStatus=130
# The supervisor stops its engines itself, in order.
KillMode=mixed
TimeoutStopSec=${STOP_SECONDS}

[Install]
WantedBy=default.target
`;
}

const LABEL = 'recollect.instance';

function xml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Returns the property list of a launchd user agent. @throws ServiceValueError for a path with a control character */
export function launchdAgent(definition: ServiceDefinition): string {
  checkValues(definition);
  const log = xml(path.join(definition.dataDir, 'logs', 'service.log'));
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${LABEL}</string>
  <key>ProgramArguments</key>
  <array>
${serviceCommand(definition)
  .map((word) => `    <string>${xml(word)}</string>`)
  .join('\n')}
  </array>
  <key>EnvironmentVariables</key>
  <dict>
    <key>PATH</key>
    <string>${xml(definition.searchPath)}</string>
  </dict>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ThrottleInterval</key>
  <integer>${Math.max(10, restartSeconds(definition))}</integer>
  <key>ExitTimeOut</key>
  <integer>${STOP_SECONDS}</integer>
  <key>StandardOutPath</key>
  <string>${log}</string>
  <key>StandardErrorPath</key>
  <string>${log}</string>
</dict>
</plist>
`;
}

type Command = readonly [program: string, ...args: string[]];

/** The system's service manager and its commands. */
export interface ServiceManager {
  readonly name: 'systemd' | 'launchd';
  /** Service file. */
  readonly file: string;
  readonly render: (definition: ServiceDefinition) => string;
  /** Returns a word of the command as the file has it. */
  readonly quote: (word: string) => string;
  /** Load the file and start the service; idempotent. */
  readonly start: readonly Command[];
  /** May fail if nothing is loaded. */
  readonly beforeStart: readonly Command[];
  readonly stop: readonly Command[];
  /** Stops the service until it is started again, or until the next login. */
  readonly halt: Command;
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
      quote: execWord,
      beforeStart: [],
      start: [reload, ['systemctl', '--user', 'enable', '--now', UNIT]],
      stop: [['systemctl', '--user', 'disable', '--now', UNIT]],
      halt: ['systemctl', '--user', 'stop', UNIT],
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
      quote: (word) => `<string>${xml(word)}</string>`,
      beforeStart: [['launchctl', 'bootout', `${domain}/${LABEL}`]],
      start: [['launchctl', 'bootstrap', domain, file]],
      stop: [['launchctl', 'bootout', `${domain}/${LABEL}`]],
      halt: ['launchctl', 'bootout', `${domain}/${LABEL}`],
      afterRemoval: [],
      status: ['launchctl', 'print', `${domain}/${LABEL}`],
      note: 'Starts at login.',
    };
  }
  return null;
}
