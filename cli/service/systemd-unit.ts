import {
  checkValues,
  restartSeconds,
  serviceCommand,
  type ServiceDefinition,
  STOP_SECONDS,
} from './service-definition.ts';

export const UNIT = 'recollect.service';

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
