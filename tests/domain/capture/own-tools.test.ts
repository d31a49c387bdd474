import { describe, expect, it } from 'vitest';
import { isOwnTool } from '../../../domain/capture/own-tools.ts';
import { translateHook } from '../../../domain/capture/claude-code-hooks.ts';
import { translated } from './hosts/payloads.ts';

const FOUND = '{"data":[{"hash":"q7zdx2ka","preview":"p","tags":[],"created":"2026-01-02"}]}';
const wrapped = (text: string) => ({ content: [{ type: 'text', text }] });

describe('a call of our own tools is known', () => {
  it.each([
    'mcp__recollect__search',
    'mcp__Recollect__remember',
    'mcp__plugin_memory_recollect__get',
    'mcp__recollect_local__x',
    'mcp_recollect_search',
    'MCP:recollect/timeline',
    'recollect-forget',
    'recollect.context',
    'recollect__get',
  ])('by its name %s', (name) => {
    expect(isOwnTool(name)).toBe(true);
  });

  it.each([
    ['what a search answers', FOUND],
    ['a fetched memory', '{"data":[{"hash":"q7zdx2ka","type":"prompt","content":"c"}],"missing":["aaaaaaaa"]}'],
    ['a timeline', `{"anchor":null,"has_before":true,"has_after":false,${FOUND.slice(1)}`],
    ['what was remembered', '{"hash":"q7zdx2ka"}'],
    ['what was forgotten', '{"forgotten":["q7zdx2ka"],"missing":["aaaaaaaa"]}'],
    ['context', '\n<recollect-context>\n- a\n</recollect-context>'],
  ])('recognises %s without a server name', (_what, text) => {
    for (const name of ['MCP:search', 'search', 'mcp_get', 'mcp__memory__search', 'memory.get']) {
      for (const answer of [text, wrapped(text), JSON.stringify(wrapped(text)), [{ type: 'text', text }]])
        expect(isOwnTool(name, answer), `${name} ${JSON.stringify(answer)}`).toBe(true);
      expect(isOwnTool('MCP:search_web', wrapped(text))).toBe(false);
    }
  });
});

describe('a call of others is not', () => {
  it.each([
    'mcp__other__search',
    'mcp__recollector__x',
    'x_mcp__recollect__search',
    'recollection_search',
    'recollect_everything',
    'Bash',
    'search',
    '',
  ])('by its name %j', (name) => {
    expect(isOwnTool(name)).toBe(false);
  });

  it.each([
    'plain text',
    '{"data":',
    '{"data":[]}',
    '{"forgotten":[]}',
    '{"data":[{"hash":"a commit","preview":"p"}]}',
    '{"data":[{"hash":"q7zdx2ka"}]}',
    '{"data":[{"hash":"q7zdx2ka","preview":"p"},{"file":"a.ts"}]}',
    '{"forgotten":["q7zdx2ka","a.ts"]}',
    '["{\\"hash\\":\\"q7zdx2ka\\"}","a.ts"]',
    '{"data":[{"hash":"q7zdx2ka","preview":"p"}],"next":1}',
    '{"hash":"q7zdx2ka","path":"a"}',
    '["a","b"]',
    '[[[[[[[[{"hash":"q7zdx2ka"}]]]]]]]]',
    'It has <recollect-context> in the middle',
    null,
    7,
  ])('by the response %j', (answer) => {
    expect(isOwnTool('MCP:search', answer)).toBe(false);
  });
});

it('skips our tools and captures others for a host without server names', () => {
  const answer = JSON.stringify(wrapped(FOUND));
  expect(translated('cursor', 'after-mcp-execution', { tool_name: 'search', result_json: answer })).toBeNull();
  expect(
    translated('cursor', 'after-mcp-execution', { tool_name: 'search', result_json: '{"hits":3}' }),
  ).not.toBeNull();
});

const ran = (command: string) =>
  translateHook(
    'PostToolUse',
    {
      session_id: 's',
      tool_name: 'Bash',
      tool_input: { command },
      tool_response: { stdout: 'q7zdx2ka  learning', stderr: '' },
    },
    null,
  );

it.each([
  'recollect get q7zdx2ka',
  'recollect search "why; does it | hang" --json',
  "cd /src/app && recollect timeline 'the deploy' 2>&1 | head -40",
  'npx -y recollect context --prompt x',
  '/usr/local/bin/recollect remember "Use forks" --tag ci',
])('skips a shell command that only runs our own command: %s', (command) => {
  expect(ran(command)).toBeNull();
  for (const tool_input of [{ command }, { command: ['bash', '-lc', command] }])
    expect(translated('codex-cli', 'post-tool-use.bash', { tool_input })).toBeNull();
  expect(translated('cursor', 'after-shell-execution', { command })).toBeNull();
});

it.each([
  'recollect get q7zdx2ka && npm test',
  'recollect search "$(npm test)"',
  'recollect get a `npm test`',
  'recollect get a | sh',
  'recollect up',
  'recollect getaway',
  'npm test # recollect get a',
  'grep -r "recollect get" docs',
  'recollect get a\nnpm test',
])('captures a shell command that does more: %j', (command) => {
  expect(ran(command)).not.toBeNull();
});

it('recognises a renamed server by its responses, also in a hook', () => {
  const call = (tool: string, text: string) =>
    translateHook(
      'PostToolUse',
      { session_id: 's', tool_name: tool, tool_input: { q: 'x' }, tool_response: [{ type: 'text', text }] },
      null,
    );
  expect(call('mcp__memory__search', FOUND)).toBeNull();
  expect(call('mcp__memory__search', '{"hits":3}')).not.toBeNull();
  expect(call('mcp__memory__search_web', FOUND)).not.toBeNull();
});
