import { describe, expect, it } from 'vitest';
import { boundary, payloadNames, prompt, rowsOf, translated } from './payloads.ts';

const HOST = 'cursor';
const eventOf = (name: string, fields?: Record<string, unknown>) => translated(HOST, name, fields);

const EXPECTED_PARTS: readonly (readonly [string, readonly unknown[] | null])[] = [
  ['session-start', [boundary('session_start', 'agent')]],
  [
    'before-submit-prompt',
    [
      prompt('user', 'Why does the harvest report count empty rows?', {
        attachments: [{ type: 'file', file_path: '/src/orchard/src/report.ts' }],
      }),
    ],
  ],
  ['pre-tool-use', null],
  ['before-shell-execution', null],
  ['before-read-file', null],
  ['after-agent-thought', null],
  ['post-tool-use.write', null],
  ['after-agent-response', [prompt('assistant', 'It counted rows without a weight; they are skipped now.')]],
  [
    'subagent-stop',
    [
      prompt('assistant', 'Rows are read in src/report.ts.'),
      boundary('subagent_stop', 'completed', expect.objectContaining({ task: 'Find where rows are read' })),
    ],
  ],
  ['pre-compact', [boundary('compaction', 'auto', expect.objectContaining({ message_count: 45 }))]],
  ['stop', [boundary('turn_end', 'completed', { loop_count: 0 })]],
  ['session-end', [boundary('session_end', 'user_close', expect.objectContaining({ final_status: 'completed' }))]],
];

describe('translation of Cursor payloads', () => {
  it.each(EXPECTED_PARTS)('%s', (name, parts) => {
    expect(eventOf(name)?.parts ?? null).toEqual(parts);
  });

  it('a start of a sub-agent is its task and a boundary', () => {
    expect(eventOf('subagent-start')).toMatchObject({
      agent: { id: 'sub-9', type: 'explore' },
      parts: [
        { kind: 'note', type: 'info', content: 'Find where rows are read', extra: { git_branch: 'main' } },
        boundary('subagent_start', null),
      ],
    });
  });

  it('an end by an error is the error and a boundary', () => {
    expect(eventOf('session-end.error')?.parts).toMatchObject([
      { kind: 'note', type: 'error', content: 'The model is unavailable.' },
      boundary('session_end', 'error'),
    ]);
  });
});

describe('tool calls', () => {
  it.each<[string, Record<string, unknown>]>([
    [
      'post-tool-use.shell',
      {
        tool: 'Bash',
        title: 'Bash: npm test',
        content: '$ npm test\n\n12 passing',
        duration_ms: 5432,
        type: 'tool_result',
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
    [
      'post-tool-use.delete',
      { tool: 'Delete', files_modified: ['/src/orchard/src/unused.ts'], title: 'Delete: /src/orchard/src/unused.ts' },
    ],
    [
      'post-tool-use-failure',
      {
        tool: 'Bash',
        type: 'error',
        content: '$ npm run slow\n\nCommand timed out after 30s',
        metadata: { is_interrupt: false },
      },
    ],
    [
      'after-shell-execution',
      { tool: 'Bash', content: '$ git status --short\n\n M src/report.ts\n', metadata: { sandbox: false } },
    ],
    [
      'after-mcp-execution',
      { tool: 'forecast', input: { city: 'Bern' }, content: expect.stringContaining('Rain, then sun.') },
    ],
    [
      'after-file-edit',
      {
        tool: 'Edit',
        files_modified: ['/src/orchard/src/report.ts'],
        content:
          '/src/orchard/src/report.ts\n- return all;\n+ return all.filter((row) => row.kg > 0);\n+ // empty rows are skipped',
      },
    ],
  ])('%s', (name, row) => {
    expect(rowsOf(HOST, name)[0]).toMatchObject({ kind: 'observation', ...row });
  });

  it('has a case for every recorded payload', () => {
    expect(payloadNames('cursor')).toHaveLength(EXPECTED_PARTS.length + 7 + 2);
  });

  it('are keyed by their use id if they have one', () => {
    expect(eventOf('post-tool-use.shell')?.key).toBe('tool:tool_1');
    expect(eventOf('after-shell-execution')?.key).toBeNull();
  });

  it('survive an output that is no JSON, or is cut', () => {
    expect(rowsOf(HOST, 'post-tool-use.shell', { tool_output: 'plain text' })[0]).toMatchObject({
      content: '$ npm test\n\nplain text',
    });
    expect(rowsOf(HOST, 'post-tool-use.shell', { tool_output: '{"stdout": "cut' })[0]).toMatchObject({
      content: '$ npm test\n\n{"stdout": "cut',
    });
    expect(rowsOf(HOST, 'post-tool-use.shell', { tool_input: 7, tool_output: null })[0]).toMatchObject({
      tool: 'Bash',
      input: 7,
    });
  });

  it('are stored for a failure without a message', () => {
    expect(eventOf('post-tool-use-failure', { error_message: '' })?.parts[0]).toMatchObject({ error: 'timeout' });
    expect(eventOf('post-tool-use-failure', { error_message: '', failure_type: 3 })?.parts[0]).toMatchObject({
      error: 'failed',
    });
  });
});

describe('event metadata', () => {
  it('contains host, session, first workspace and source, and no email address', () => {
    const event = eventOf('session-start');
    expect(event).toMatchObject({
      host: 'cursor',
      externalId: '6f0c1f6a-0d0e-4b52-9d5d-3f1c2a9b7e10',
      project: { path: '/src/orchard' },
      model: 'sonnet-4',
      metadata: { mode: 'agent', background: false },
    });
    const events = payloadNames('cursor').map((name) => JSON.stringify(eventOf(name)));
    expect(events.join('')).not.toContain('dev@example.com');
  });

  it('finds the folder without an open workspace', () => {
    expect(eventOf('post-tool-use.shell', { workspace_roots: [] })?.project?.path).toBe('/src/orchard');
    expect(eventOf('stop', { workspace_roots: [] })?.project).toBeNull();
  });
});
