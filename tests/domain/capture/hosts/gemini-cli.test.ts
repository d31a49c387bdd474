import { describe, expect, it } from 'vitest';
import { boundary, payloadNames, prompt, rowsOf, translated } from './payloads.ts';

const HOST = 'gemini-cli';
const eventOf = (name: string, fields?: Record<string, unknown>) => translated(HOST, name, fields);

const EXPECTED_PARTS: readonly (readonly [string, readonly unknown[] | null])[] = [
  ['session-start', [boundary('session_start', 'startup')]],
  ['before-agent', [prompt('user', 'Why does the harvest report count empty rows?')]],
  ['before-tool', null],
  ['before-model', null],
  ['after-model', null],
  [
    'after-agent',
    [prompt('assistant', 'It counted rows without a weight; they are skipped now.'), boundary('turn_end', null)],
  ],
  ['pre-compress', null],
  ['session-end', [boundary('session_end', 'exit')]],
];

describe('translation of Gemini CLI payloads', () => {
  it.each(EXPECTED_PARTS)('%s', (name, parts) => {
    expect(eventOf(name)?.parts ?? null).toEqual(parts);
  });
});

const EXPECTED_ROWS: readonly (readonly [string, Record<string, unknown>])[] = [
  [
    'after-tool.shell',
    {
      tool: 'Bash',
      type: 'tool_result',
      title: 'Bash: npm test',
      content: expect.stringMatching(/^\$ npm test\n\n.*Output: 12 passing/s),
    },
  ],
  [
    'after-tool.read',
    {
      tool: 'Read',
      files_read: ['/src/orchard/src/report.ts'],
      content: '/src/orchard/src/report.ts\n\nexport function rows() {}',
    },
  ],
  [
    'after-tool.replace',
    {
      tool: 'Edit',
      files_modified: ['/src/orchard/src/report.ts'],
      content: expect.stringContaining('- return all;\n+ return all.filter((row) => row.kg > 0);'),
    },
  ],
  ['after-tool.write', { tool: 'Write', files_modified: ['/src/orchard/notes.md'] }],
  [
    'after-tool.error',
    { tool: 'Bash', type: 'error', content: '$ npm run slow\n\nCommand failed\nThe command failed' },
  ],
  [
    'after-tool.mcp',
    {
      tool: 'mcp_weather_forecast',
      input: { city: 'Bern' },
      content: expect.stringContaining('Rain, then sun.'),
      metadata: { mcp_context: expect.objectContaining({ server_name: 'weather' }) },
    },
  ],
  ['notification', { type: 'info', content: expect.stringContaining('needs your permission') }],
];

describe('tool calls and notes', () => {
  it.each(EXPECTED_ROWS)('%s', (name, row) => {
    expect(rowsOf(HOST, name)[0]).toMatchObject({ kind: 'observation', ...row });
  });

  it('has a case for every recorded payload', () => {
    expect(payloadNames(HOST)).toEqual([...EXPECTED_PARTS, ...EXPECTED_ROWS].map(([name]) => name).sort());
  });
});

it('stores the session’s source and project', () => {
  expect(eventOf('session-start')).toMatchObject({
    host: HOST,
    externalId: '0b8a1f52-6f0d-4c61-9c3e-5f2d7a1b9e44',
    project: { path: '/src/orchard' },
    metadata: { source: 'startup' },
  });
});

it('does not store the context that it puts before a prompt', () => {
  const context = '&lt;recollect-context&gt;\nRows without a weight are skipped.\n&lt;/recollect-context&gt;';
  const given = `<hook_context>${context}</hook_context>\n\nWhy does it count?`;
  expect(rowsOf(HOST, 'before-agent', { prompt: given })).toMatchObject([
    { content: expect.stringMatching(/^\s*Why does it count\?$/) },
  ]);
});

it('does not store the prompt of a turn twice', () => {
  expect(JSON.stringify(eventOf('after-agent'))).not.toContain('Why does');
});

it.each([
  ['mcp_recollect_search', { q: 'rows' }],
  ['run_shell_command', { command: 'recollect search rows' }],
])('does not store a call of the own tools: %s', (tool_name, tool_input) => {
  expect(eventOf('after-tool.mcp', { tool_name, tool_input })).toBeNull();
});
