import { describe, expect, it } from 'vitest';
import { boundary, payloadNames, prompt, rowsOf, translated } from './payloads.ts';

const HOST = 'opencode';
const eventOf = (name: string, fields?: Record<string, unknown>) => translated(HOST, name, fields);

const EXPECTED_PARTS: readonly (readonly [string, readonly unknown[] | null])[] = [
  ['session-created', [boundary('session_start', null)]],
  ['chat-message', [prompt('user', 'Why does the harvest report count empty rows?')]],
  ['subagent-stop', [prompt('assistant', 'Rows are read in src/report.ts.'), boundary('subagent_stop', null)]],
  ['session-compacted', [boundary('compaction', null)]],
  [
    'session-idle',
    [prompt('assistant', 'It counted rows without a weight; they are skipped now.'), boundary('turn_end', null)],
  ],
  ['session-deleted', [boundary('session_end', 'deleted')]],
];

describe('translation of opencode payloads', () => {
  it.each(EXPECTED_PARTS)('%s', (name, parts) => {
    expect(eventOf(name)?.parts ?? null).toEqual(parts);
  });
});

const EXPECTED_ROWS: readonly (readonly [string, Record<string, unknown>])[] = [
  ['tool-execute-after.bash', { tool: 'Bash', title: 'Bash: npm test', content: '$ npm test\n\n12 passing\n' }],
  ['tool-execute-after.read', { tool: 'Read', files_read: ['/src/orchard/src/report.ts'] }],
  [
    'tool-execute-after.edit',
    {
      tool: 'Edit',
      files_modified: ['/src/orchard/src/report.ts'],
      content: expect.stringContaining('- return all;\n+ return all.filter((row) => row.kg > 0);'),
    },
  ],
  ['subagent-start', { type: 'info', content: 'Find where rows are read' }],
  ['session-error', { type: 'error', content: 'The model is unavailable.' }],
];

describe('tool calls and notes', () => {
  it.each(EXPECTED_ROWS)('%s', (name, row) => {
    expect(rowsOf(HOST, name)[0]).toMatchObject({ kind: 'observation', ...row });
  });

  it('has a case for every recorded payload', () => {
    expect(payloadNames(HOST)).toEqual([...EXPECTED_PARTS, ...EXPECTED_ROWS].map(([name]) => name).sort());
  });
});

it('names the model, the sub-agent and the call', () => {
  expect(eventOf('session-created')?.model).toBe('claude-sonnet-4-5');
  expect(eventOf('subagent-start')?.agent).toEqual({ id: 'ses_deb19c283ffe1SE8aREM2syndW', type: 'explore' });
  expect(eventOf('tool-execute-after.bash')?.key).toBe('tool:toolu_de2a31cc');
});

it('does not store a call of the own tools', () => {
  expect(eventOf('tool-execute-after.bash', { tool: 'recollect_search', args: { q: 'rows' } })).toBeNull();
});
