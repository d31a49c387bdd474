import { describe, expect, it } from 'vitest';
import { contextQuestion } from '../../../domain/capture/context-question.ts';
import type { HostEvent } from '../../../domain/capture/event.ts';
import type { HostMapping } from '../../../domain/capture/hosts/mapping.ts';
import { PLAIN_HOST_EVENT } from '../../setup/host-event.ts';

const read = (file: unknown) => ({ tool_name: 'Read', tool_input: { file_path: file } });

const spoken: HostEvent = {
  ...PLAIN_HOST_EVENT,
  parts: [
    { kind: 'prompt', type: 'user', content: ' one' },
    { kind: 'prompt', type: 'assistant', content: 'reply' },
    { kind: 'boundary', boundary: 'turn_end', reason: null },
    { kind: 'prompt', type: 'user', content: 'two ' },
  ],
};
const silent: HostEvent = { ...PLAIN_HOST_EVENT, parts: [{ kind: 'prompt', type: 'user', content: ' \n' }] };

describe('context that Claude Code requests', () => {
  it.each([
    ['SessionStart', {}, null, { purpose: 'session_start' }],
    ['UserPromptSubmit', {}, spoken, { purpose: 'prompt', prompt: 'one\ntwo' }],
    ['UserPromptSubmit', {}, silent, null],
    ['UserPromptSubmit', {}, null, null],
    ['PreToolUse', read('/a.ts'), null, { purpose: 'file', file: '/a.ts' }],
    ['PreToolUse', read('x'.repeat(4_096)), null, { purpose: 'file', file: 'x'.repeat(4_096) }],
    ['PreToolUse', read('x'.repeat(4_097)), null, null],
    ['PreToolUse', read('a\uD83D'), null, { purpose: 'file', file: 'a\uFFFD' }],
    ['PreToolUse', read(' '), null, null],
    ['PreToolUse', read(7), null, null],
    ['PreToolUse', { ...read('/a.ts'), tool_name: 'Edit' }, null, null],
    ['PreToolUse', { tool_name: 'Read', tool_input: null }, null, null],
    ['PreToolUse', { tool_name: 'Read', tool_input: '/a.ts' }, null, null],
    ['PreToolUse', { tool_name: 'Read', tool_input: {} }, null, null],
    ['Stop', {}, spoken, null],
  ])('%s %j', (event, fields, translated, expected) => {
    expect(contextQuestion(null, event, { session_id: 's', ...fields }, translated)).toEqual(expected);
  });
});

describe('context that a mapped host requests', () => {
  const mapping: HostMapping = {
    host: 'other',
    session: ['id'],
    project_path: ['cwd'],
    model: ['model'],
    agent: { id: [], type: [] },
    common: [],
    events: { begin: { parts: [], session_start: true }, submit: { parts: [], answered: true }, end: { parts: [] } },
    tools: {},
    context_answer: 'additional_context',
  };

  it.each([
    ['begin', spoken, { purpose: 'session_start' }],
    ['submit', spoken, { purpose: 'prompt', prompt: 'one\ntwo' }],
    ['submit', silent, null],
    ['end', spoken, null],
    ['unknown', spoken, null],
    ['toString', spoken, null],
    ['SessionStart', null, null],
  ])('%s', (event, translated, expected) => {
    expect(contextQuestion(mapping, event, { session_id: 's' }, translated)).toEqual(expected);
  });
});
