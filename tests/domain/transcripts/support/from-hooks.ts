import type { RecordedHook } from '../../../setup/demo-session.ts';

/** A line of a transcript before it is written. */
export type Line = Readonly<Record<string, unknown>>;

export interface TranscriptOptions {
  /** Sub-agents' lines in this file; else they are left out. */
  readonly agents?: boolean;
}

function timeOf(hook: RecordedHook): string {
  const time = hook['timestamp'];
  return typeof time === 'string' ? time : '2026-01-01T00:00:00.000Z';
}

function earlier(at: string, ms: unknown): string {
  return new Date(Date.parse(at) - (typeof ms === 'number' ? ms : 0)).toISOString();
}

/**
 * The transcript that Claude Code would have written beside these hooks: one line an assistant's block and one a result, as it does.
 * What no transcript has (notifications, the session's end) is left out.
 */
export function transcriptOf(hooks: readonly RecordedHook[], options: TranscriptOptions = {}): Line[] {
  const lines: Line[] = [];
  let parent: string | null = null;
  const push = (hook: RecordedHook, at: string, rest: Line) => {
    const uuid: string = `${hook.session_id}-line-${String(lines.length).padStart(4, '0')}`;
    const agent = hook['agent_id'];
    lines.push({
      parentUuid: parent,
      uuid,
      isSidechain: agent !== undefined,
      ...(agent === undefined ? {} : { agentId: agent }),
      sessionId: hook.session_id,
      cwd: hook['cwd'],
      version: '2.0.0',
      gitBranch: 'main',
      timestamp: at,
      ...rest,
    });
    parent = uuid;
  };
  const assistant = (index: number, content: readonly unknown[], stop: string): Line => ({
    type: 'assistant',
    message: { id: `msg_${index}`, role: 'assistant', model: 'claude-sonnet-4-5', content, stop_reason: stop },
  });
  for (const [index, hook] of hooks.entries()) {
    const at = timeOf(hook);
    const ofAgent = hook['agent_id'] !== undefined;
    if (ofAgent && options.agents !== true) continue;
    switch (hook.hook_event_name) {
      case 'UserPromptSubmit':
        push(hook, at, { type: 'user', message: { role: 'user', content: hook['prompt'] } });
        break;
      case 'SubagentStart':
        push(hook, at, { type: 'user', message: { role: 'user', content: 'Look at this for me.' } });
        break;
      case 'PostToolUse':
      case 'PostToolUseFailure': {
        const id = hook['tool_use_id'];
        const use = { type: 'tool_use', id, name: hook['tool_name'], input: hook['tool_input'] };
        push(hook, earlier(at, hook['duration_ms']), assistant(index, [use], 'tool_use'));
        const failed = hook.hook_event_name === 'PostToolUseFailure';
        const text = failed ? hook['error'] : JSON.stringify(hook['tool_response']);
        push(hook, at, {
          type: 'user',
          message: {
            role: 'user',
            content: [{ type: 'tool_result', tool_use_id: id, content: text, ...(failed ? { is_error: true } : {}) }],
          },
          toolUseResult: failed ? `Error: ${String(hook['error'])}` : hook['tool_response'],
        });
        break;
      }
      case 'Stop':
      case 'SubagentStop': {
        const text = hook['last_assistant_message'];
        if (typeof text === 'string') push(hook, at, assistant(index, [{ type: 'text', text }], 'end_turn'));
        break;
      }
      case 'PreCompact':
        push(hook, at, { type: 'system', subtype: 'compact_boundary', compactMetadata: { trigger: hook['trigger'] } });
        break;
      default:
        break;
    }
  }
  return lines;
}

/** Lines as a file's bytes. */
export function bytesOf(lines: readonly (Line | string)[]): Buffer {
  return Buffer.from(lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''));
}
