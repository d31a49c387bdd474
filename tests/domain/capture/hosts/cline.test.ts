import { describe, expect, it } from 'vitest';
import { boundary, payloadNames, prompt, rowsOf, translated } from './payloads.ts';

const HOST = 'cline';
const eventOf = (name: string, fields?: Record<string, unknown>) => translated(HOST, name, fields);

const EXPECTED_PARTS: readonly (readonly [string, readonly unknown[] | null])[] = [
  ['task-start', [boundary('session_start', 'start')]],
  ['task-resume', [boundary('session_start', 'resume')]],
  ['user-prompt-submit', [prompt('user', 'Why does the harvest report count empty rows?')]],
  ['pre-tool-use', null],
  ['pre-compact', [boundary('compaction', null, { preCompact: { conversationLength: 45, estimatedTokens: 125_000 } })]],
  ['task-complete', [boundary('session_end', 'completed')]],
  ['task-cancel', [boundary('turn_end', 'cancelled')]],
];

describe('translation of Cline payloads', () => {
  it.each(EXPECTED_PARTS)('%s', (name, parts) => {
    expect(eventOf(name)?.parts ?? null).toEqual(parts);
  });
});

const EXPECTED_ROWS: readonly (readonly [string, Record<string, unknown>])[] = [
  [
    'post-tool-use.command',
    {
      tool: 'Bash',
      type: 'tool_result',
      title: 'Bash: npm test',
      content: '$ npm test\n\n12 passing',
      duration_ms: 5432,
    },
  ],
  [
    'post-tool-use.read',
    {
      tool: 'Read',
      files_read: ['/src/orchard/src/report.ts'],
      content: '/src/orchard/src/report.ts\n\nexport function rows() {}',
    },
  ],
  ['post-tool-use.edit', { tool: 'Edit', files_modified: ['/src/orchard/src/report.ts'] }],
  ['post-tool-use.guide', { tool: 'Write', files_modified: ['/src/orchard/notes.md'], duration_ms: 12 }],
  ['post-tool-use.failed', { tool: 'Bash', type: 'error', content: expect.stringContaining('$ npm run slow') }],
];

describe('tool calls and notes', () => {
  it.each(EXPECTED_ROWS)('%s', (name, row) => {
    expect(rowsOf(HOST, name)[0]).toMatchObject({ kind: 'observation', ...row });
  });

  it('has a case for every recorded payload', () => {
    expect(payloadNames(HOST)).toEqual([...EXPECTED_PARTS, ...EXPECTED_ROWS].map(([name]) => name).sort());
  });
});

it('is one session by its task, without the user’s address', () => {
  expect(eventOf('task-start')).toMatchObject({
    externalId: '1793610900123',
    project: { path: '/src/orchard' },
  });
  const events = payloadNames(HOST).map((name) => JSON.stringify(eventOf(name)));
  expect(events.join('')).not.toContain('dev@example.com');
});
