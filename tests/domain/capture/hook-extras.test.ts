import { describe, expect, it } from 'vitest';
import { translateHook } from '../../../domain/capture/claude-code-hooks.ts';
import type { EventPart } from '../../../domain/capture/event.ts';

function partsOf(event: string, fields: Record<string, unknown>): readonly EventPart[] | null {
  return (
    translateHook(event, { session_id: 's1', cwd: '/src/app', hook_event_name: event, ...fields }, null)?.parts ?? null
  );
}

const tool = { tool_name: 'Bash', tool_input: { command: 'ls' }, tool_use_id: 'toolu_1', duration_ms: 12.6 };

describe('unknown fields of known events', () => {
  it.each([
    ['PostToolUse', { ...tool, tool_response: 'a', sandbox: { kind: 'none' } }, { sandbox: { kind: 'none' } }],
    ['PostToolUseFailure', { ...tool, error: 'x', is_interrupt: false }, { is_interrupt: false }],
    ['StopFailure', { error: 'x', error_code: 529, last_assistant_message: 'y' }, { error_code: 529 }],
    ['Notification', { message: 'x', title: 'T' }, { title: 'T' }],
    ['PostToolUse', { ...tool, tool_use_id: { odd: 1 }, tool_response: 'a' }, { tool_use_id: { odd: 1 } }],
    ['PostToolUse', { ...tool, git_remote: 'git@h:o/r', machine_id: 'm', root: '/src', event_id: 'e' }, null],
  ])('are stored beside the known fields: %s %#', (event, fields, extra) => {
    expect(partsOf(event, fields)?.[0]).toMatchObject({ extra });
  });
});

describe('unknown fields of prompts and boundaries', () => {
  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['PreCompact', { trigger: 'manual', custom_instructions: 'keep the API' }, { custom_instructions: 'keep the API' }],
    ['SubagentStop', { agent_transcript_path: '/a.jsonl' }, { agent_transcript_path: '/a.jsonl' }],
    ['SubagentStart', { depth: 2 }, { depth: 2 }],
    [
      'Stop',
      { last_assistant_message: 'x', stop_hook_active: true, left: null, empty: '' },
      { stop_hook_active: true },
    ],
    ['SessionStart', { source: 'startup', model: { id: 'm' }, plan: 'team' }, { model: { id: 'm' }, plan: 'team' }],
    ['SessionEnd', { reason: 'logout', turns: 7 }, { turns: 7 }],
    ['UserPromptSubmit', { prompt: 'x', pasted: [1] }, { pasted: [1] }],
    ['UserPromptSubmit', { prompt: ['x'] }, { prompt: ['x'] }],
    ['UserPromptSubmit', { prompt: 'x', not_understood: { cwd: 7 } }, { not_understood: { cwd: 7 } }],
  ])('are stored with the last row: %s %#', (event, fields, extra) => {
    expect(partsOf(event, fields)?.at(-1)).toMatchObject({ extra });
  });

  it('adds no field without extra fields', () => {
    expect(partsOf('SessionEnd', { reason: 'x', git_remote: 'g', event_id: 'e' })?.[0]).not.toHaveProperty('extra');
  });
});
