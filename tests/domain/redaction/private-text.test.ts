import { describe, expect, it } from 'vitest';
import { removeTaggedText } from '../../../domain/redaction/private-text.ts';

function redact(text: string): { readonly text: string; readonly counts: Record<string, number> } {
  const removed = new Map<string, number>();
  const remaining = removeTaggedText(text, removed).text;
  return { text: remaining, counts: Object.fromEntries(removed) };
}

describe('<private>', () => {
  it.each([
    ['paired', 'a <private>x</private> b', 'a [private] b', 1],
    ['twice', '<private>x</private>-<private>y</private>', '[private]-[private]', 2],
    ['unclosed takes the rest', 'a <private>x\ny z', 'a [private]', 1],
    ['nested', 'a <private>x <private>y</private> z</private> b', 'a [private] b', 1],
    ['nested and unclosed takes the rest', 'a <private>x <private>y</private> z', 'a [private]', 1],
    ['nested three deep', '<private><private><private>x</private></private>y</private>b', '[private]b', 1],
    ['mixed case', 'a <PRIVATE>x</Private> b', 'a [private] b', 1],
    ['attributes', 'a <private reason="x y" n=1>x</private> b', 'a [private] b', 1],
    ['attributes with angles', 'a <private if="a<b">x</private> b', 'a [private] b', 1],
    ['long attributes', `a <private note="${'n'.repeat(400)}">x</private> b`, 'a [private] b', 1],
    ['line feeds in the tag', 'a <private\n>x</private\n> b', 'a [private] b', 1],
    ['over lines', 'a <private>\nx\n</private> b', 'a [private] b', 1],
    ['empty', 'a <private></private> b', 'a [private] b', 1],
    ['closed alone', 'a </private> b', 'a  b', 0],
    ['closed twice', '<private>x</private></private> b', '[private] b', 1],
    ['in JSON text', '{"a":"<private>x</private>","b":1}', '{"a":"[private]","b":1}', 1],
    ['a closing tag before it that is none', 'a </private <private>x</private> b', 'a </private [private] b', 1],
    ['a blank behind the angle', 'a < private>x</private> b', 'a [private] b', 1],
    ['blanks everywhere', 'a <  private >x< / private > b', 'a [private] b', 1],
    ['a blank in an escaped tag', String.raw`a \u003c private\u003ex&lt;/ private&gt; b`, 'a [private] b', 1],
    ['a blank behind the angle, unclosed', 'a <\nprivate>x', 'a [private]', 1],
    ['right behind a word', 'pw<Private>secret</Private>, b', 'pw[private], b', 1],
    [
      'right behind a word, beside code',
      'Local<Private> a; pw<Private>x</Private> b',
      'Local<Private> a; pw[private] b',
      1,
    ],
    ['beside code', 'Local<Private> a <private>x</private> b', 'Local<Private> a [private] b', 1],
    ['other tags inside', '<private><b>x</b><system-reminder></private> y', '[private] y', 1],
  ])('%s', (_, text, expected, count) => {
    expect(redact(text)).toEqual({ text: expected, counts: count === 0 ? {} : { private: count } });
  });

  it.each([
    '<privateer>x</privateer>',
    '<my-private>x',
    '< private x>',
    'if (a < private && b > c)',
    'private x /private',
    '<private x',
    'a < b',
    '<pri vate>',
    'Local<Private> New(Isolate* isolate); Maybe<bool> Has(Local<Private> key)',
    '/private/var/folders/x and private: true',
    '&lt;privateer&gt;',
    String.raw`\\u003c    private\\u003e`,
  ])('leaves %s alone', (text) => {
    expect(redact(text)).toEqual({ text, counts: {} });
  });
});

describe('an injected passage', () => {
  it.each([
    ['with a closed private passage inside', '<private>x</private>', '</private>'],
    ['with an open tag of another kind inside', '<ide_opened_file>x', '</private>'],
    ['with an open private passage that another kind ends', '<private>x', '</ide_opened_file>'],
  ])('%s ends at its own end', (_, inside, behind) => {
    expect(redact(`a<system-reminder>${inside}</system-reminder>b${behind}c`).text).toBe('abc');
  });
});

describe('<private> in escaped text', () => {
  const open = [
    '<',
    String.raw`\u003c`,
    String.raw`\u003C`,
    String.raw`\\u003c`,
    String.raw`\x3c`,
    '&lt;',
    '&#60;',
    '&#x3c;',
    '%3C',
  ];
  const close = [
    '>',
    String.raw`\u003e`,
    String.raw`\u003E`,
    String.raw`\\u003e`,
    String.raw`\x3e`,
    '&gt;',
    '&#62;',
    '&#x3e;',
    '%3E',
  ];
  const slashes = ['/', String.raw`\/`, String.raw`\u002f`, '/', '/', '/', '&#47;', '&#x2f;', '%2F'];

  it.each(open.map((less, at) => [less, close[at] ?? '', slashes[at] ?? '']))('%s %s %s', (less, more, slash) => {
    const tag = (name: string) => `${less}${name}${more}`;
    const text = `a ${tag('private')}x${tag(`${slash}private`)} b ${tag('Private why="y"')}z`;
    expect(redact(text)).toEqual({ text: 'a [private] b [private]', counts: { private: 2 } });
  });

  it('one form closes the other', () => {
    expect(redact(String.raw`a \u003cprivate\u003ex</private> b &lt;private&gt;y<\/private> c`).text).toBe(
      'a [private] b [private] c',
    );
  });

  it('a closing tag does not swallow an opening one behind it', () => {
    expect(redact('a &lt;/private &lt;private&gt;x&lt;/private&gt; b').text).toBe('a &lt;/private [private] b');
  });

  it('inside JSON inside JSON', () => {
    const inner = JSON.stringify({ note: '<private>x "y"</private>', next: 'visible' });
    const text = redact(JSON.stringify({ inner })).text;
    expect(text).not.toContain('y');
    expect(JSON.parse(text)).toEqual({ inner: JSON.stringify({ note: '[private]', next: 'visible' }) });
  });
});

describe('a text that begins inside a passage', () => {
  const within = { tag: 'private', depth: 1 };
  const continued = (text: string) => {
    const removed = new Map<string, number>();
    return { ...removeTaggedText(text, removed, within), removed: removed.size };
  };

  it('is removed up to its end', () => {
    expect(continued('x</private> y')).toEqual({ text: ' y', open: null, removed: 0 });
  });

  it('is removed completely if the passage continues', () => {
    expect(continued('x')).toEqual({ text: '', open: within, removed: 0 });
    expect(continued('x<private>y</private>z')).toEqual({ text: '', open: within, removed: 0 });
    expect(continued('x<private>y')).toEqual({ text: '', open: { tag: 'private', depth: 2 }, removed: 0 });
  });

  it('may open the next one', () => {
    expect(continued('x</private> y <private>z')).toEqual({ text: ' y [private]', open: within, removed: 1 });
  });
});

describe('injected text', () => {
  it.each([
    ['what recall gave', 'a <recollect-context>\n# Memory\n</recollect-context> b', 'a  b', 1],
    ['what the host reminds of', 'a<system-reminder>x</system-reminder>b', 'ab', 1],
    ['unclosed', 'a<recollect-context>x', 'a', 1],
    ['what a hook added', 'a<user-prompt-submit-hook>x</user-prompt-submit-hook>b', 'ab', 1],
    ['what a hook of Gemini CLI added', 'a<hook_context>x</hook_context>b', 'ab', 1],
    ['what an editor added', 'a<ide_opened_file>x</ide_opened_file>b', 'ab', 1],
    ['what another memory gave', 'a<claude-mem-context>x</claude-mem-context>b', 'ab', 1],
    ['what a host reports about the machine', 'a<environment_context>x</environment_context>b', 'ab', 1],
    ['a warning about local commands', '<local-command-caveat>x</local-command-caveat>b', 'b', 1],
    ['mixed case', 'a<System-Reminder>x</SYSTEM-REMINDER>b', 'ab', 1],
    ['a private passage inside', 'a<system-reminder>x<private>y</private></system-reminder>b', 'ab', 1],
    ['a closing tag of another kind inside', 'a<system-reminder>x</private>y</system-reminder>b', 'ab', 1],
  ])('%s', (_, text, expected, count) => {
    expect(redact(text)).toEqual({ text: expected, counts: { injected: count } });
  });

  it.each([
    [
      'closed behind its end',
      '<system-reminder>a <private>b</system-reminder> LEAK </private> c',
      '[private] c',
      { injected: 1, private: 1 },
    ],
    [
      'started twice, closed once behind its end',
      'x<system-reminder>a <private><private>b</system-reminder> LEAK </private> c',
      'x[private] c',
      { injected: 1, private: 1 },
    ],
    ['only named in it', '<system-reminder>use <private></system-reminder> c', ' c', { injected: 1 }],
    [
      'only named in it, before a passage of its own',
      '<system-reminder>use <private></system-reminder> a <private>b</private> c',
      ' a [private] c',
      { injected: 1, private: 1 },
    ],
    [
      'closed within the next one',
      '<system-reminder>a <private>b</system-reminder> LEAK <system-reminder>c </private> d</system-reminder> e',
      '[private] d e',
      { injected: 1, private: 1 },
    ],
  ])('removes a private passage that is %s', (_, text, expected, counts) => {
    expect(redact(text)).toEqual({ text: expected, counts });
  });

  it('is counted beside private text', () => {
    expect(redact('<private>x</private><system-reminder>y</system-reminder><recollect-context>z')).toEqual({
      text: '[private]',
      counts: { private: 1, injected: 2 },
    });
  });

  it.each([
    '<command-name>/deploy</command-name><command-args>to staging</command-args>',
    '<command-message>deploy is running</command-message>',
    '<bash-input>npm test</bash-input><bash-stdout>ok</bash-stdout>',
    '<local-command-stdout>3 passed</local-command-stdout>',
    '<ide_selection>let a = 1</ide_selection>',
    '<task-notification>done</task-notification>',
  ])('retains the user’s own input: %s', (text) => {
    expect(redact(text)).toEqual({ text, counts: {} });
  });

  it('leaves other tags', () => {
    const text = '<context>x</context> <recollect>y</recollect> <system>z</system>';
    expect(redact(text).text).toBe(text);
  });
});
