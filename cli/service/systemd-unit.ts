import {
  checkValues,
  restartSeconds,
  serviceCommand,
  type ServiceDefinition,
  STOP_SECONDS,
} from './service-definition.ts';

export const UNIT = 'recollect.service';

/** A word of ExecStart: quoted; specifiers and variables of systemd mean themselves. */
function execWord(word: string): string {
  return `"${word
    .replaceAll('\\', '\\\\')
    .replaceAll('"', String.raw`\"`)
    .replaceAll('%', '%%')
    .replaceAll('$', '$$$$')}"`;
}

/** A value of Environment: no variables are known there, so a dollar means itself. */
function environmentWord(word: string): string {
  return `"${word
    .replaceAll('\\', '\\\\')
    .replaceAll('"', String.raw`\"`)
    .replaceAll('%', '%%')}"`;
}

/** The unit of the user's own systemd. Throws ServiceValueError where a path has a control character. */
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
