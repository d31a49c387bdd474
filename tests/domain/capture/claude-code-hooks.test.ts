import { describe, expect, it } from 'vitest';
import { translateHook } from '../../../domain/capture/claude-code-hooks.ts';
import type { HookPayload } from '../../../domain/capture/hook-payload.ts';
import type { EventPart } from '../../../domain/capture/event.ts';

const common: HookPayload = {
  session_id: 's1',
  transcript_path: '/t.jsonl',
  cwd: '/src/app',
  permission_mode: 'default',
};

function partsOf(event: string, fields: Record<string, unknown>): readonly EventPart[] | null {
  return translateHook(event, { ...common, hook_event_name: event, ...fields }, null)?.parts ?? null;
}

const tool = { tool_name: 'Bash', tool_input: { command: 'ls' }, tool_use_id: 'toolu_1', duration_ms: 12.6 };
const toolPart = {
  kind: 'tool',
  name: 'Bash',
  input: { command: 'ls' },
  durationMs: 13,
  importance: null,
  tags: [],
  extra: null,
};

describe('every event', () => {
  it.each<[string, Record<string, unknown>, readonly unknown[] | null]>([
    [
      'SessionStart',
      { source: 'resume', model: 'm' },
      [{ kind: 'boundary', boundary: 'session_start', reason: 'resume' }],
    ],
    ['UserPromptSubmit', { prompt: 'fix it' }, [{ kind: 'prompt', type: 'user', content: 'fix it' }]],
    ['PreToolUse', tool, null],
    [
      'PostToolUse',
      { ...tool, tool_response: 'a' },
      [{ ...toolPart, event: 'PostToolUse', response: 'a', error: null }],
    ],
    [
      'PostToolUseFailure',
      { ...tool, error: 'Exit code 1' },
      [{ ...toolPart, event: 'PostToolUseFailure', response: null, error: 'Exit code 1' }],
    ],
    ['SubagentStart', { agent_id: 'a1' }, [{ kind: 'boundary', boundary: 'subagent_start', reason: null }]],
    [
      'SubagentStop',
      { agent_id: 'a1', last_assistant_message: 'found it' },
      [
        { kind: 'prompt', type: 'assistant', content: 'found it' },
        { kind: 'boundary', boundary: 'subagent_stop', reason: null },
      ],
    ],
    [
      'Stop',
      { stop_hook_active: false, last_assistant_message: 'done' },
      [
        { kind: 'prompt', type: 'assistant', content: 'done' },
        { kind: 'boundary', boundary: 'turn_end', reason: null, extra: { stop_hook_active: false } },
      ],
    ],
    ['Stop', { last_assistant_message: '' }, [{ kind: 'boundary', boundary: 'turn_end', reason: null }]],
    [
      'StopFailure',
      { error: 'rate limit', last_assistant_message: 'almost' },
      [
        {
          kind: 'note',
          event: 'StopFailure',
          type: 'error',
          title: 'StopFailure',
          content: 'rate limit',
          importance: null,
          tags: [],
          extra: null,
        },
        { kind: 'prompt', type: 'assistant', content: 'almost' },
        { kind: 'boundary', boundary: 'turn_end', reason: 'failure' },
      ],
    ],
    [
      'PreCompact',
      { trigger: 'auto', custom_instructions: '' },
      [{ kind: 'boundary', boundary: 'compaction', reason: 'auto' }],
    ],
    ['PostCompact', { trigger: 'manual' }, [{ kind: 'boundary', boundary: 'compaction', reason: 'manual' }]],
    [
      'Notification',
      { message: 'waiting', notification_type: 'idle_prompt' },
      [
        {
          kind: 'note',
          event: 'Notification',
          type: 'info',
          title: 'Notification',
          content: 'waiting',
          importance: null,
          tags: [],
          extra: { notification_type: 'idle_prompt' },
        },
      ],
    ],
    ['SessionEnd', { reason: 'logout' }, [{ kind: 'boundary', boundary: 'session_end', reason: 'logout' }]],
  ])('%s %#', (event, fields, parts) => {
    expect(partsOf(event, fields)).toEqual(parts);
  });

  it.each([
    [{ is_interrupt: true }, 'interrupted'],
    [{ is_interrupt: false }, 'failed'],
    [{ error: { odd: true } }, 'failed'],
  ])('stores a failure without a text: %j', (fields, error) => {
    expect(partsOf('PostToolUseFailure', { ...tool, ...fields })).toMatchObject([{ error }]);
  });

  it.each([
    [-1, null],
    ['12', null],
    [Number.NaN, null],
    [Number.POSITIVE_INFINITY, null],
    [1e15, 2_147_483_647],
    [0, 0],
  ])('a duration of %s is stored as %s', (duration, durationMs) => {
    expect(partsOf('PostToolUse', { ...tool, duration_ms: duration })).toMatchObject([{ durationMs }]);
  });

  it('survives fields of the wrong kind', () => {
    expect(partsOf('PostToolUse', { tool_name: 7, tool_input: 'x' })).toMatchObject([{ name: 'unknown', input: 'x' }]);
    expect(partsOf('UserPromptSubmit', { prompt: ['x'] })).toMatchObject([{ content: '' }]);
    expect(partsOf('SessionStart', { source: 3 })).toMatchObject([{ reason: null }]);
  });
});

describe('unknown events', () => {
  it('are stored with their own fields', () => {
    expect(partsOf('TaskCompleted', { task: { id: 3 }, note: 'x' })).toEqual([
      {
        kind: 'note',
        event: 'TaskCompleted',
        type: 'info',
        title: 'TaskCompleted',
        content: { task: { id: 3 }, note: 'x' },
        importance: null,
        tags: [],
        extra: null,
      },
    ]);
  });

  it('have no tool key, even if they name a tool', () => {
    expect(translateHook('PermissionRequest', { ...common, ...tool }, null)?.key).toBeNull();
  });
});

describe('our own tools', () => {
  it.each(['PostToolUse', 'PostToolUseFailure', 'PreToolUse', 'SomeNewHook'])('are left out of %s', (event) => {
    expect(translateHook(event, { ...common, ...tool, tool_name: 'mcp__recollect__search' }, null)).toBeNull();
  });

  it.each(['mcp__other__search', 'mcp__recollector__x', 'x_mcp__recollect__search'])('are not %s', (name) => {
    expect(translateHook('PostToolUse', { ...common, ...tool, tool_name: name }, null)).not.toBeNull();
  });
});

describe('event metadata', () => {
  it('names host, session, project and sub-agent', () => {
    const event = translateHook('PostToolUse', { ...common, ...tool, agent_id: 'a1', agent_type: 'Explore' }, null);
    expect(event).toMatchObject({
      host: 'claude-code',
      externalId: 's1',
      namespace: 'default',
      infer: true,
      project: { path: '/src/app', remote: undefined, machineId: undefined },
      agent: { id: 'a1', type: 'Explore' },
      model: null,
      metadata: null,
      occurredAt: null,
    });
  });

  it('uses the fields that our client adds: remote, root, machine, time', () => {
    const event = translateHook(
      'SessionStart',
      {
        ...common,
        source: 'startup',
        model: 'opus',
        git_remote: 'git@h:o/r',
        root: '/src',
        machine_id: 'm',
        timestamp: '2026-01-02T03:04:05Z',
      },
      null,
    );
    expect(event).toMatchObject({
      project: { path: '/src', remote: 'git@h:o/r', machineId: 'm' },
      model: 'opus',
      metadata: { source: 'startup' },
      occurredAt: '2026-01-02T03:04:05Z',
    });
  });

  it('stores model and source for a session start only', () => {
    const stop = translateHook('Stop', { ...common, model: 'opus', source: 'startup' }, null);
    expect(stop?.model).toBeNull();
    expect(stop?.metadata).toEqual({ transcript_path: '/t.jsonl' });
  });

  it.each([
    ['SessionStart', { source: 'startup', transcript_path: '/t.jsonl' }],
    ['Stop', { transcript_path: '/t.jsonl' }],
    ['SessionEnd', { transcript_path: '/t.jsonl' }],
    ['UserPromptSubmit', null],
    ['PostToolUse', null],
    ['SubagentStop', null],
  ])('records the transcript path at turns, not at every call: %s', (event, metadata) => {
    expect(translateHook(event, { ...common, source: 'startup' }, null)?.metadata).toEqual(metadata);
  });

  it('leaves out a path that is none', () => {
    for (const transcript_path of [7, '', 'x'.repeat(4097)])
      expect(translateHook('Stop', { ...common, transcript_path }, null)?.metadata).toBeNull();
  });

  it('has no project without a folder', () => {
    expect(translateHook('Stop', { session_id: 's1' }, null)?.project).toBeNull();
  });

  it.each<[string, string, Record<string, unknown>, string | null, string | null]>([
    ['the tool use id first', 'PostToolUse', { ...tool, event_id: 'e1' }, 'd1', 'tool:toolu_1'],
    ['the same for a failure of the same call', 'PostToolUseFailure', { ...tool }, null, 'tool:toolu_1'],
    ['the delivery id of the header', 'Stop', { event_id: 'e1' }, 'd1', 'd1'],
    ['the delivery id of the body', 'Stop', { event_id: 'e1' }, null, 'e1'],
    ['a tool call without an id', 'PostToolUse', { tool_name: 'Bash', event_id: 'e1' }, null, 'e1'],
    ['an empty id', 'PostToolUse', { ...tool, tool_use_id: '' }, null, null],
    ['a tool use id without a call', 'Stop', { tool_use_id: 'toolu_1' }, null, null],
    ['nothing', 'UserPromptSubmit', { prompt: 'x' }, null, null],
  ])('key: %s', (_, event, fields, delivery, key) => {
    expect(translateHook(event, { ...common, ...fields }, delivery)?.key).toBe(key);
  });
});
