import { describe, expect, it } from 'vitest';
import { isOwnTool } from '../../../domain/capture/own-tools.ts';
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
  ])('by %s, where a host does not say whose tool it is', (_what, text) => {
    for (const name of ['MCP:search', 'search', 'mcp_get']) {
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
    '{"data":[{"hash":"q7zdx2ka","preview":"p"}],"next":1}',
    '{"hash":"q7zdx2ka","path":"a"}',
    '["a","b"]',
    '[[[[[[[[{"hash":"q7zdx2ka"}]]]]]]]]',
    'It says <recollect-context> in the middle',
    null,
    7,
  ])('by the answer %j', (answer) => {
    expect(isOwnTool('MCP:search', answer)).toBe(false);
  });
});

it('a host that does not say whose tool it is tells nothing of ours, and all of others', () => {
  const answer = JSON.stringify(wrapped(FOUND));
  expect(translated('cursor', 'after-mcp-execution', { tool_name: 'search', result_json: answer })).toBeNull();
  expect(
    translated('cursor', 'after-mcp-execution', { tool_name: 'search', result_json: '{"hits":3}' }),
  ).not.toBeNull();
});
