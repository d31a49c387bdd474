import { describe, expect, it } from 'vitest';
import { renderToolCall } from '../../../domain/capture/tool-text.ts';

const contentOf = (tool: string, input: unknown, response: unknown, error: string | null = null): string =>
  renderToolCall(tool, input, response, error).content;

describe('tools that are known', () => {
  it.each([
    [
      'Bash with its streams',
      'Bash',
      { command: 'npm test', description: 'Run the tests' },
      { stdout: '3 passed', stderr: 'warning: slow', interrupted: false },
      '$ npm test\n\n3 passed\nwarning: slow',
    ],
    [
      'Bash that was interrupted',
      'Bash',
      { command: 'sleep 9' },
      { stdout: '', stderr: '', interrupted: true },
      '$ sleep 9\n\n(interrupted)',
    ],
    ['Bash without output', 'Bash', { command: 'true' }, { stdout: '', stderr: '' }, '$ true'],
    [
      'Read of a file',
      'Read',
      { file_path: '/a.ts', limit: 9 },
      { type: 'text', file: { filePath: '/a.ts', content: 'let a' } },
      '/a.ts\n\nlet a',
    ],
    [
      'Edit, whose answer repeats its input',
      'Edit',
      { file_path: '/a.ts', old_string: 'a\nb', new_string: 'c' },
      { filePath: '/a.ts', oldString: 'a\nb', newString: 'c', originalFile: 'a\nb', structuredPatch: [] },
      '/a.ts\n- a\n- b\n+ c',
    ],
    [
      'MultiEdit',
      'MultiEdit',
      {
        file_path: '/a.ts',
        edits: [
          { old_string: 'a', new_string: 'b' },
          { old_string: 'c', new_string: '' },
        ],
      },
      null,
      '/a.ts\n- a\n+ b\n- c',
    ],
    [
      'Write, whose answer repeats its input',
      'Write',
      { file_path: '/a.ts', content: 'let a = 1' },
      { type: 'create', filePath: '/a.ts', content: 'let a = 1', structuredPatch: [] },
      '/a.ts\nlet a = 1',
    ],
    ['NotebookEdit', 'NotebookEdit', { notebook_path: '/n.ipynb', new_source: 'x = 1' }, null, '/n.ipynb\n+ x = 1'],
    [
      'Grep',
      'Grep',
      { pattern: 'TODO', path: '/src' },
      { mode: 'content', content: 'a.ts:1:TODO' },
      '{"pattern":"TODO","path":"/src"}\n\na.ts:1:TODO',
    ],
    [
      'an MCP tool with text blocks',
      'mcp__jira__get',
      { id: 7 },
      {
        content: [
          { type: 'text', text: 'open' },
          { type: 'text', text: 'urgent' },
        ],
      },
      '{"id":7}\n\nopen\nurgent',
    ],
    [
      'an MCP tool with bare blocks',
      'mcp__jira__get',
      { id: 7 },
      [{ type: 'text', text: 'open' }, 'closed'],
      '{"id":7}\n\nopen\nclosed',
    ],
    [
      'a tool that takes more than a command',
      'mcp__files__do',
      { command: 'create', path: '/x', file_text: 'y' },
      null,
      '{"command":"create","path":"/x","file_text":"y"}',
    ],
    ['a shell of another host', 'shell', { command: 'ls', workdir: '/x' }, 'a\nb', '$ ls\n\na\nb'],
  ])('%s', (_, tool, input, response, content) => {
    expect(contentOf(tool, input, response)).toBe(content);
  });
});

describe('odd shapes', () => {
  it.each([
    ['nothing at all', null, null, ''],
    ['undefined', undefined, undefined, ''],
    ['an empty input', {}, '', ''],
    ['an empty list', [], [], ''],
    ['text as input', 'echo', 'out', 'echo\n\nout'],
    ['a list as input', ['ls', '-l'], null, '["ls","-l"]'],
    ['a number as input', 7, null, '7'],
    ['a truth value as answer', null, true, 'true'],
    ['zero as answer', null, 0, '0'],
    ['an object as answer', null, { ok: true }, '{"ok":true}'],
    [
      'an empty text block',
      null,
      [
        { type: 'text', text: '' },
        { type: 'text', text: 'a' },
      ],
      'a',
    ],
    ['lists in lists', null, [['a', ['b']], null, 'c'], 'a\nb\nc'],
    ['a command that is no text', { command: ['ls'] }, null, '{"command":["ls"]}'],
    ['a path that is no text', { file_path: 7 }, null, '{"file_path":7}'],
    ['streams that are no text', null, { stdout: 7, stderr: null }, ''],
    [
      'edits that are no objects',
      { file_path: '/a', edits: [null, 'x', 3] },
      null,
      '{"file_path":"/a","edits":[null,"x",3]}',
    ],
  ])('%s', (_, input, response, content) => {
    expect(contentOf('Some', input, response)).toBe(content);
  });

  it('takes edits that are no objects for nothing', () => {
    expect(contentOf('MultiEdit', { file_path: '/a', edits: [null, 'x'] }, null)).toMatch(/^\/a\n*$/);
  });
});

describe('title', () => {
  it.each([
    ['the request', 'Bash', { command: 'npm test', description: 'tests' }, 'Bash: npm test'],
    ['the file', 'Read', { file_path: '/a.ts' }, 'Read: /a.ts'],
    ['the question', 'WebSearch', { query: 'vitest forks' }, 'WebSearch: vitest forks'],
    ['one line', 'Bash', { command: 'a\n  b\tc ' }, 'Bash: a b c'],
    ['the tool alone', 'Todo', { todos: [] }, 'Todo'],
    ['text as input', 'Say', 'hello', 'Say: hello'],
    ['a list as input', 'Say', ['hello'], 'Say'],
  ])('%s', (_, tool, input, title) => {
    expect(renderToolCall(tool, input, null, null).title).toBe(title);
  });

  it('is short and splits no character', () => {
    for (let start = 0; start < 4; start += 1) {
      const { title } = renderToolCall('T', `${'x'.repeat(start)}${'😀'.repeat(200)}`, null, null);
      expect(title.length).toBe(160);
      expect(title.isWellFormed()).toBe(true);
      expect(title.endsWith('…')).toBe(true);
    }
  });
});

describe('failing calls', () => {
  it('renders the error before the output', () => {
    expect(contentOf('Bash', { command: 'npm test' }, { stdout: 'partial' }, 'Exit code 1')).toBe(
      '$ npm test\n\nExit code 1\npartial',
    );
  });

  it.each(['Read', 'Edit', 'Write'])('%s touched no file', (tool) => {
    const { filesRead, filesModified } = renderToolCall(tool, { file_path: '/a' }, null, 'no such file');
    expect([filesRead, filesModified]).toEqual([[], []]);
  });
});

describe('files', () => {
  it.each([
    ['Read', { file_path: '/a' }, ['/a'], []],
    ['NotebookRead', { notebook_path: '/n' }, ['/n'], []],
    ['Edit', { file_path: '/a' }, [], ['/a']],
    ['MultiEdit', { file_path: '/a', edits: [] }, [], ['/a']],
    ['Write', { file_path: '/a' }, [], ['/a']],
    ['NotebookEdit', { notebook_path: '/n' }, [], ['/n']],
    ['Bash', { command: 'cat /a', path: '/a' }, [], []],
    ['Grep', { pattern: 'x', path: '/a' }, [], []],
    ['mcp__fs__write', { path: '/a' }, [], []],
    ['Read', { file_path: 7 }, [], []],
    ['Read', ['/a'], [], []],
  ])('%s of %j', (tool, input, read, modified) => {
    const { filesRead, filesModified } = renderToolCall(tool, input, 'modified /claimed', null);
    expect([filesRead, filesModified]).toEqual([read, modified]);
  });

  it('come from the input only, never from a response', () => {
    const { filesRead, filesModified } = renderToolCall(
      'Edit',
      {},
      { filePath: '/claimed', structuredPatch: [] },
      null,
    );
    expect([filesRead, filesModified]).toEqual([[], []]);
  });
});

describe('pictures', () => {
  it('are named, not stored', () => {
    const base64 = 'iVBORw0KGgo='.repeat(10);
    const read = renderToolCall('Read', { file_path: '/src/a.png' }, { type: 'image', file: { base64 } }, null);
    expect(read.content).toBe('/src/a.png\n\n[image]');
    const shot = renderToolCall(
      'mcp__browser__shot',
      {},
      [
        { type: 'text', text: 'done' },
        { type: 'image', data: base64 },
      ],
      null,
    );
    expect(shot.content).toBe('done\n[image]');
  });
});
