const tool = { tool_name: 'Bash', tool_input: { command: 'ls' } };

const OWN: Readonly<Record<string, object>> = {
  SessionStart: { source: 'startup' },
  UserPromptSubmit: { prompt: 'hello' },
  PreToolUse: { tool_name: 'Read', tool_input: { file_path: '/a' } },
  PostToolUse: { ...tool, tool_response: 'a', tool_use_id: 't1' },
  PostToolUseFailure: { ...tool, error: 'no', tool_use_id: 't2' },
  Stop: { last_assistant_message: 'completed' },
  Notification: { message: 'waiting' },
};

/** Returns the fields that Claude Code sends with an event beside those of every event. */
export function claudeCodePayload(event: string): object {
  return OWN[event] ?? {};
}

/** Rows of a session with one hook of each event: the prompt and the last message; two tool calls, the notification and the failed turn. */
export const CLAUDE_CODE_ROWS = { prompts: 2, observations: 4 };
