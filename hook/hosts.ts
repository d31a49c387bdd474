/** Rules of an agent host that the client needs. */
interface HostRules {
  /** Events with context in the response: they have a longer time limit, and only they print output. */
  readonly context: readonly string[];
  readonly sessionStart: string;
  /** Query events, which are not captured. */
  readonly questions: readonly string[];
  /** Field of the context in the output. */
  readonly answer: 'hookSpecificOutput' | 'additional_context';
}

/** Namespace of sessions without one. */
export const DEFAULT_NAMESPACE = 'default';

export const DEFAULT_HOST = 'claude-code';

/** Documented behaviour only: hosts may show unknown output as an error at every turn. */
const HOSTS: Readonly<Record<string, HostRules>> = {
  [DEFAULT_HOST]: {
    context: ['SessionStart', 'UserPromptSubmit', 'PreToolUse'],
    sessionStart: 'SessionStart',
    questions: ['PreToolUse'],
    answer: 'hookSpecificOutput',
  },
  'codex-cli': {
    context: ['SessionStart', 'UserPromptSubmit'],
    sessionStart: 'SessionStart',
    questions: ['PreToolUse'],
    answer: 'hookSpecificOutput',
  },
  cursor: {
    context: ['sessionStart'],
    sessionStart: 'sessionStart',
    questions: ['preToolUse', 'beforeShellExecution', 'beforeMCPExecution', 'beforeReadFile', 'beforeTabFileRead'],
    answer: 'additional_context',
  },
};

/** Event name and host. */
export interface NamedEvent {
  readonly event: string;
  readonly host: string;
}

function rulesOf(host: string): HostRules | undefined {
  return Object.hasOwn(HOSTS, host) ? HOSTS[host] : undefined;
}

export function bringsContext({ event, host }: NamedEvent): boolean {
  return rulesOf(host)?.context.includes(event) === true;
}

export function startsSession({ event, host }: NamedEvent): boolean {
  return rulesOf(host)?.sessionStart === event;
}

/** Returns true if the event is captured. */
export function isCaptured({ event, host }: NamedEvent): boolean {
  return rulesOf(host)?.questions.includes(event) !== true;
}

export function answersByField(host: string): boolean {
  return rulesOf(host)?.answer === 'additional_context';
}
