import { describe, expect, it } from 'vitest';
import { removeTaggedText } from '../../../domain/redaction/private-text.ts';

function redact(text: string): { readonly text: string; readonly counts: Record<string, number> } {
  const removed = new Map<string, number>();
  const kept = removeTaggedText(text, removed);
  return { text: kept, counts: Object.fromEntries(removed) };
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
    ['other tags inside', '<private><b>x</b><system-reminder></private> y', '[private] y', 1],
  ])('%s', (_, text, kept, count) => {
    expect(redact(text)).toEqual({ text: kept, counts: count === 0 ? {} : { private: count } });
  });

  it.each([
    '<privateer>x</privateer>',
    '<my-private>x',
    '< private>x',
    'private x /private',
    '<private x',
    'a < b',
    '<pri vate>',
  ])('leaves %s alone', (text) => {
    expect(redact(text)).toEqual({ text, counts: {} });
  });
});

describe('injected text', () => {
  it.each([
    ['what recall gave', 'a <recollect-context>\n# Memory\n</recollect-context> b', 'a  b', 1],
    ['what the host reminds of', 'a<system-reminder>x</system-reminder>b', 'ab', 1],
    ['unclosed', 'a<recollect-context>x', 'a', 1],
    ['mixed case', 'a<System-Reminder>x</SYSTEM-REMINDER>b', 'ab', 1],
    ['a private passage inside', 'a<system-reminder>x<private>y</private></system-reminder>b', 'ab', 1],
    ['a closing tag of another kind inside', 'a<system-reminder>x</private>y</system-reminder>b', 'ab', 1],
  ])('%s', (_, text, kept, count) => {
    expect(redact(text)).toEqual({ text: kept, counts: { injected: count } });
  });

  it('is counted beside private text', () => {
    expect(redact('<private>x</private><system-reminder>y</system-reminder><recollect-context>z')).toEqual({
      text: '[private]',
      counts: { private: 1, injected: 2 },
    });
  });

  it('leaves other tags', () => {
    const text = '<context>x</context> <recollect>y</recollect> <system>z</system>';
    expect(redact(text).text).toBe(text);
  });
});
