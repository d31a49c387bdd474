/** What the client knows of an agent host; everything else of it is the server's business. */
interface HostRules {
  /** Events whose answer the host shows to its model: the agent waits for them longer, and only they print anything. */
  readonly context: readonly string[];
  readonly sessionStart: string;
  /** Events that ask only: there is nothing in them to keep. */
  readonly questions: readonly string[];
  /** How it reads context: Claude Code's `hookSpecificOutput`, or a field of its own. */
  readonly answer: 'hookSpecificOutput' | 'additional_context';
}

/** Where a session belongs whose hooks name no namespace. */
export const DEFAULT_NAMESPACE = 'default';

export const DEFAULT_HOST = 'claude-code';

/** What a host does not know it may show as an error at every turn: so only what is documented of it stands here. */
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

/** An event by its name and the host that sends it. */
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

/** Whether there is anything in the event to keep. */
export function isCaptured({ event, host }: NamedEvent): boolean {
  return rulesOf(host)?.questions.includes(event) !== true;
}

export function answersByField(host: string): boolean {
  return rulesOf(host)?.answer === 'additional_context';
}
