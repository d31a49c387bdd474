import { describe, expect, it } from 'vitest';
import { boundary, payloadNames, prompt, rowsOf, translated } from './payloads.ts';

const HOST = 'codex-cli';
const eventOf = (name: string, fields?: Record<string, unknown>) => translated(HOST, name, fields);

describe('translation of Codex CLI payloads', () => {
  it.each<[string, readonly unknown[] | null]>([
    ['session-start', [boundary('session_start', 'startup')]],
    ['user-prompt-submit', [prompt('user', 'Make the harvest report skip empty rows.')]],
    ['pre-tool-use', null],
    ['permission-request', null],
    ['subagent-start', [boundary('subagent_start', null)]],
    [
      'subagent-stop',
      [
        prompt('assistant', 'The report reads rows in src/report.ts.'),
        boundary('subagent_stop', null, { stop_hook_active: false }),
      ],
    ],
    ['pre-compact', [boundary('compaction', 'auto')]],
    ['post-compact', [boundary('compaction', 'auto')]],
    [
      'stop',
      [
        prompt('assistant', 'Empty rows are skipped; the tests pass.'),
        boundary('turn_end', null, { stop_hook_active: false }),
      ],
    ],
    ['session-end', [boundary('session_end', 'other')]],
    [
      'agent-turn-complete',
      [
        prompt('user', 'Make the harvest report skip empty rows.'),
        prompt('user', 'And add a test.'),
        prompt('assistant', 'Done: both are in src/report.ts.'),
        boundary('turn_end', null),
      ],
    ],
  ])('%s', (name, parts) => {
    expect(eventOf(name)?.parts ?? null).toEqual(parts);
  });

  it('has a case for every recorded payload', () => {
    expect(payloadNames('codex-cli').filter((name) => !name.startsWith('post-tool-use.'))).toHaveLength(11);
  });
});

describe('a tool call', () => {
  it('is an observation known by its use id, with nothing extra', () => {
    expect(eventOf('post-tool-use.bash')).toMatchObject({
      key: 'tool:call_01',
      parts: [
        { kind: 'tool', event: 'PostToolUse', name: 'Bash', input: { command: 'npm test' }, error: null, extra: null },
      ],
    });
    expect(rowsOf(HOST, 'post-tool-use.bash')[0]).toMatchObject({
      tool: 'Bash',
      title: 'Bash: npm test',
      content: expect.stringMatching(/^\$ npm test\n\nExit code: 1\n/),
      files_modified: [],
      metadata: null,
    });
  });

  it('that is a patch names every file it changed, under the folder of the session', () => {
    const files = [
      '/src/orchard/src/report.ts',
      '/src/orchard/src/empty-rows.ts',
      '/src/orchard/docs/old-name.md',
      '/src/orchard/docs/report.md',
      '/src/orchard/src/unused.ts',
    ];
    const [row] = rowsOf(HOST, 'post-tool-use.apply-patch');
    expect(row).toMatchObject({ tool: 'apply_patch', files_modified: files, files_read: [] });
    expect(row).toMatchObject({ title: expect.stringMatching(/^apply_patch: \/src\/orchard\/src\/report\.ts, /) });
    expect(row).toMatchObject({ content: expect.stringMatching(/^\*\*\* Begin Patch\n[^]*Success\./) });
  });

  it('of an MCP server is rendered by its texts', () => {
    expect(rowsOf(HOST, 'post-tool-use.mcp')[0]).toMatchObject({
      tool: 'mcp__weather__forecast',
      content: expect.stringContaining('Rain, then sun.'),
    });
  });

  it('of our own tools is left out', () => {
    expect(eventOf('post-tool-use.mcp', { tool_name: 'mcp__recollect__search' })).toBeNull();
  });

  it('stores an unknown field', () => {
    expect(eventOf('post-tool-use.bash', { sandboxed: true })?.parts[0]).toMatchObject({ extra: { sandboxed: true } });
  });
});

describe('event metadata', () => {
  it('names host, session, project and, at the start, the model and how it began', () => {
    expect(eventOf('session-start')).toMatchObject({
      host: 'codex-cli',
      source: 'hook',
      externalId: '019a2f4e-7c11-7d30-9a55-0d3c5a1f2b77',
      project: { path: '/src/orchard', remote: undefined },
      model: 'gpt-5-codex',
      metadata: { source: 'startup' },
    });
    expect(eventOf('stop')).toMatchObject({ model: null, metadata: null });
    expect(eventOf('subagent-stop')?.agent).toEqual({ id: 'agent-7', type: 'explorer' });
  });

  it('puts a turn that was only notified into the same session', () => {
    expect(eventOf('agent-turn-complete')?.externalId).toBe(eventOf('session-start')?.externalId);
  });

  it('uses the fields that our client adds', () => {
    const added = {
      git_remote: 'git@h:o/r',
      machine_id: 'm',
      root: '/src',
      repository: 'abc',
      event_id: 'e1',
      timestamp: '2026-01-02T03:04:05Z',
    };
    expect(eventOf('stop', added)).toMatchObject({
      project: { path: '/src', remote: 'git@h:o/r', machineId: 'm', repository: 'abc' },
      key: 'e1',
      occurredAt: '2026-01-02T03:04:05Z',
    });
  });
});
