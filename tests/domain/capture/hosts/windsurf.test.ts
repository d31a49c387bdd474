import { describe, expect, it } from 'vitest';
import { boundary, payloadNames, prompt, rowsOf, translated } from './payloads.ts';

const HOST = 'windsurf';
const eventOf = (name: string, fields?: Record<string, unknown>) => translated(HOST, name, fields);

const EXPECTED_PARTS: readonly (readonly [string, readonly unknown[] | null])[] = [
  ['pre-user-prompt', [prompt('user', 'Why does the harvest report count empty rows?')]],
  ['pre-read-code', null],
  ['pre-write-code', null],
  ['pre-run-command', null],
  ['pre-mcp-tool-use', null],
  [
    'post-cascade-response',
    [
      prompt('assistant', '### Planner Response\n\nIt counted rows without a weight; they are skipped now.'),
      boundary('turn_end', null),
    ],
  ],
  [
    'post-cascade-response-with-transcript',
    [boundary('turn_end', null, { tool_info: { transcript_path: '/home/dev/.windsurf/transcripts/7d1f8c1e.jsonl' } })],
  ],
  ['post-setup-worktree', null],
];

describe('translation of Windsurf payloads', () => {
  it.each(EXPECTED_PARTS)('%s', (name, parts) => {
    expect(eventOf(name)?.parts ?? null).toEqual(parts);
  });
});

const EXPECTED_ROWS: readonly (readonly [string, Record<string, unknown>])[] = [
  [
    'post-read-code',
    { tool: 'Read', files_read: ['/src/orchard/src/report.ts'], content: '/src/orchard/src/report.ts' },
  ],
  [
    'post-write-code',
    {
      tool: 'Edit',
      files_modified: ['/src/orchard/src/report.ts'],
      content: '/src/orchard/src/report.ts\n- return all;\n+ return all.filter((row) => row.kg > 0);',
    },
  ],
  ['post-run-command', { tool: 'Bash', title: 'Bash: npm test', content: '$ npm test' }],
  [
    'post-mcp-tool-use',
    { tool: 'forecast', input: { city: 'Bern' }, content: expect.stringContaining('Rain, then sun.') },
  ],
];

describe('tool calls and notes', () => {
  it.each(EXPECTED_ROWS)('%s', (name, row) => {
    expect(rowsOf(HOST, name)[0]).toMatchObject({ kind: 'observation', ...row });
  });

  it('has a case for every recorded payload', () => {
    expect(payloadNames(HOST)).toEqual([...EXPECTED_PARTS, ...EXPECTED_ROWS].map(([name]) => name).sort());
  });
});

it('is one session by its conversation, with the folder that the client adds', () => {
  const event = eventOf('pre-user-prompt', { root: '/src/orchard', git_remote: 'https://example.org/orchard' });
  expect(event).toMatchObject({
    externalId: '7d1f8c1e-3f0a-4e9b-8a55-0c2d9b6a4f10',
    project: { path: '/src/orchard', remote: 'https://example.org/orchard' },
  });
  // The folder of a command is not the project's.
  expect(eventOf('post-run-command')?.project).toBeNull();
});

it('does not store a call of the own tools', () => {
  const tool_info = { mcp_server_name: 'recollect', mcp_tool_name: 'search', mcp_result: '<recollect-context>' };
  expect(eventOf('post-mcp-tool-use', { tool_info })).toBeNull();
});
