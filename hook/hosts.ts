/** Rules of an agent host that the client needs. */
interface HostRules {
  /** Events with context in the response: they have a longer time limit, and only they print output. */
  readonly context: readonly string[];
  /** Events to which the client adds what it knows of the project. */
  readonly sessionStart: readonly string[];
  /** Query events, which are not captured. */
  readonly questions: readonly string[];
  /** Field of the context in the output. */
  readonly answer: AnswerField;
}

export type AnswerField = 'hookSpecificOutput' | 'additional_context' | 'contextModification';

/** Namespace of sessions without one. */
export const DEFAULT_NAMESPACE = 'default';

export const DEFAULT_HOST = 'claude-code';

/** Documented behaviour only: hosts may show unknown output as an error at every turn. */
const HOSTS: Readonly<Record<string, HostRules>> = {
  [DEFAULT_HOST]: {
    context: ['SessionStart', 'UserPromptSubmit', 'PreToolUse'],
    sessionStart: ['SessionStart'],
    questions: ['PreToolUse'],
    answer: 'hookSpecificOutput',
  },
  'codex-cli': {
    context: ['SessionStart', 'UserPromptSubmit'],
    sessionStart: ['SessionStart'],
    questions: ['PreToolUse'],
    answer: 'hookSpecificOutput',
  },
  cursor: {
    context: ['sessionStart'],
    sessionStart: ['sessionStart'],
    questions: ['preToolUse', 'beforeShellExecution', 'beforeMCPExecution', 'beforeReadFile', 'beforeTabFileRead'],
    answer: 'additional_context',
  },
  'gemini-cli': {
    context: ['SessionStart', 'BeforeAgent'],
    sessionStart: ['SessionStart'],
    // PreCompress comes before each request, whether it is compressed or not.
    questions: ['BeforeTool', 'BeforeToolSelection', 'BeforeModel', 'AfterModel', 'PreCompress'],
    answer: 'hookSpecificOutput',
  },
  opencode: {
    context: ['session_created', 'chat_message'],
    sessionStart: ['session_created'],
    questions: [],
    answer: 'additional_context',
  },
  // Has no event for the start of a session, names no folder and shows its agent no output.
  windsurf: {
    context: [],
    sessionStart: ['pre_user_prompt'],
    questions: ['pre_read_code', 'pre_write_code', 'pre_run_command', 'pre_mcp_tool_use'],
    answer: 'additional_context',
  },
  cline: {
    context: ['TaskStart', 'TaskResume', 'UserPromptSubmit'],
    sessionStart: ['TaskStart', 'TaskResume'],
    questions: ['PreToolUse'],
    answer: 'contextModification',
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
  return rulesOf(host)?.sessionStart.includes(event) === true;
}

/** Returns true if the event is captured. */
export function isCaptured({ event, host }: NamedEvent): boolean {
  return rulesOf(host)?.questions.includes(event) !== true;
}

/** Returns the field in which a host expects context. */
export function answerField(host: string): AnswerField {
  return rulesOf(host)?.answer ?? 'hookSpecificOutput';
}
