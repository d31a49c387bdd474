import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { byteLength, VALUE_LIMIT_BYTES } from '../../../domain/capture/well-formed.ts';
import { Redactor } from '../../../domain/redaction/redact.ts';

const json = (value: unknown): unknown => new Redactor().json(value);

describe('text', () => {
  it('is redacted, made well-formed and cut, in this order', () => {
    const redactor = new Redactor();
    const text = redactor.text(
      `\u0000<private>${'x'.repeat(VALUE_LIMIT_BYTES)}</private>\uD83D${'y'.repeat(VALUE_LIMIT_BYTES)}`,
    );
    expect(text.startsWith('\uFFFD[private]\uFFFDyyy')).toBe(true);
    expect(byteLength(text)).toBeLessThanOrEqual(VALUE_LIMIT_BYTES);
    expect(redactor.counts).toEqual({ private: 1 });
  });

  it('finds a secret in whose middle something was injected', () => {
    const secret = ['gh<system-reminder>x</system-reminder>p', 'aB3dE6gH9jK2mN5pQ8sT1vW4yZ7cF0hJ3kL6'].join('_');
    expect(new Redactor().text(`a ${secret} b`)).toBe('a [redacted:github-token] b');
  });

  it('finds a secret that a cut would split', () => {
    const secret = ['ghp', 'aB3dE6gH9jK2mN5pQ8sT1vW4yZ7cF0hJ3kL6'].join('_');
    const half = VALUE_LIMIT_BYTES / 2 - 50;
    const text = new Redactor().text(`${'x'.repeat(half)} ${secret} ${'y'.repeat(VALUE_LIMIT_BYTES)}`);
    expect(text).not.toContain('ghp_');
  });
});

describe('json', () => {
  it('reaches every string, names included', () => {
    const value = { a: ['<private>x</private>', { 'b<private>x</private>': 'c' }], n: 1, t: true, z: null };
    expect(json(value)).toEqual({ a: ['[private]', { 'b[private]': 'c' }], n: 1, t: true, z: null });
  });

  it.each([
    ['a text', { password: 'x' }, { password: '[redacted:secret-field]' }],
    ['a number', { dbPassword: 1234 }, { dbPassword: '[redacted:secret-field]' }],
    ['a list', { authorization: ['x', ''] }, { authorization: ['[redacted:secret-field]', ''] }],
    [
      'an object is looked into',
      { secret: { name: 'n', password: 'x' } },
      { secret: { name: 'n', password: '[redacted:secret-field]' } },
    ],
    ['nothing', { password: '', secret: null, api_key: false }, { password: '', secret: null, api_key: false }],
    ['other fields', { passwords: 'x', max_tokens: 5 }, { passwords: 'x', max_tokens: 5 }],
    ['text before a mark', { password: 'x [redacted:jwt]' }, { password: '[redacted:secret-field]' }],
    ['text after a mark', { password: '[redacted:jwt] x' }, { password: '[redacted:secret-field]' }],
  ])('secret-named field: %s', (_, value, expected) => {
    expect(json(value)).toEqual(expected);
  });

  it.each([
    ['a variable', { name: 'DB_PASSWORD', value: 'x' }, { name: 'DB_PASSWORD', value: '[redacted:secret-field]' }],
    ['a header', { key: 'Authorization', value: 'x' }, { key: 'Authorization', value: '[redacted:secret-field]' }],
    ['another variable', { name: 'PORT', value: 'x' }, { name: 'PORT', value: 'x' }],
    ['a name alone', { name: 'DB_PASSWORD' }, { name: 'DB_PASSWORD' }],
    ['another field', { kind: 'password', value: 'x' }, { kind: 'password', value: 'x' }],
  ])('a name beside its value: %s', (_, value, expected) => {
    expect(json([value])).toEqual([expected]);
  });

  it('is done with what went through it', () => {
    const redactor = new Redactor();
    const once = redactor.json({
      password: 'x',
      a: '<private>x</private> jane 536-22-8145',
      list: ['API_KEY=0123456789'],
    });
    const again = new Redactor();
    expect(again.json(once)).toEqual(once);
    expect(again.counts).toBeNull();
    expect(again.dataClass).toBe(redactor.dataClass);
  });

  it('counts over all values of a row; nothing found is null', () => {
    const redactor = new Redactor();
    redactor.json({ a: 'b' });
    expect(redactor.counts).toBeNull();
    redactor.json({ password: 'x', b: '<private>x</private>' });
    redactor.json({ secret: 'y' });
    redactor.text('<private>y');
    expect(redactor.counts).toEqual({ 'secret-field': 2, private: 2 });
  });

  it('takes a name as data, whatever it is', () => {
    const value: unknown = JSON.parse('{"__proto__":{"polluted":true},"constructor":"x","toString":"y"}');
    const clean = json(value);
    expect(JSON.stringify(clean)).toBe('{"__proto__":{"polluted":true},"constructor":"x","toString":"y"}');
    expect({}).not.toHaveProperty('polluted');
  });

  it('retains forty levels and notes deeper ones', () => {
    const nested = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}"x"${']'.repeat(levels)}`);
    expect(JSON.stringify(json(nested(40)))).toBe(JSON.stringify(nested(40)));
    expect(JSON.stringify(json(nested(41)))).toBe(`${'['.repeat(40)}"[too deep]"${']'.repeat(40)}`);
  });

  it.each([
    ['a', '[[1]]', '["[too deep]"]'],
    ['secret', '[[[1]]]', '[["[too deep]"]]'],
  ])('notes objects and lists in the field %s that are deeper than forty levels', (name, list, noted) => {
    const objects = (levels: number, inner: string): unknown =>
      JSON.parse(`${`{"${name}":`.repeat(levels)}${inner}${'}'.repeat(levels)}`);
    expect(json(objects(40, '{}'))).toEqual(objects(40, '"[too deep]"'));
    expect(json(objects(39, list))).toEqual(objects(39, noted));
  });
});

describe('a passage over the blocks of a list', () => {
  const block = (text: string) => ({ type: 'text', text });

  it.each<[string, unknown, unknown]>([
    ['closed in the next', [block('a <private>x'), block('y</private> b')], [block('a [private]'), block(' b')]],
    [
      'closed in the one after',
      [block('a <private>x'), block('y'), block('z</private> b'), block('c')],
      [block('a [private]'), block(''), block(' b'), block('c')],
    ],
    ['never closed', [block('a <private>x'), block('y'), block('z')], [block('a [private]'), block(''), block('')]],
    ['of texts alone', ['a <private>x', 'y', 'z</private>b', 'c'], ['a [private]', '', 'b', 'c']],
    ['written for JSON', ['a \\u003cprivate\\u003ex', 'y\\u003c/private\\u003eb'], ['a [private]', 'b']],
    ['opened again', ['<private>x', 'y</private>b<private>z', 'z</private>c'], ['[private]', 'b[private]', 'c']],
    ['nested', ['<private>x<private>', 'y</private>', 'z</private>c'], ['[private]', '', 'c']],
    ['injected', ['a<system-reminder>x', 'y', 'z</system-reminder>b'], ['a', '', 'b']],
    [
      'numbers and truths go, too',
      ['<private>x', 1234, true, null, { pin: 1234, type: 'n' }],
      ['[private]', null, null, null, { pin: null, type: 'n' }],
    ],
    ['a list in a list', [['<private>x', 'y'], 'z</private>b'], [['[private]', ''], 'b']],
    [
      'out of an object',
      [{ content: [block('<private>x')] }, block('y</private>b')],
      [{ content: [block('[private]')] }, block('b')],
    ],
    [
      'into an object',
      ['<private>x', { content: [block('y'), block('z</private>b')] }, 'c'],
      ['[private]', { content: [block(''), block('b')] }, 'c'],
    ],
    ['short pieces, too', ['<private>', 'pin', '1234', '</private>ok'], ['[private]', '', '', 'ok']],
    ['long pieces, too', ['<private>x', 'a long text without a tag', 'z</private>b'], ['[private]', '', 'b']],
    ['a type that is no text', ['<private>x', { type: ['y'] }], ['[private]', { type: [''] }]],
    ['a type ends no passage', ['<private>x', { type: 'text' }, 'y</private>b'], ['[private]', { type: 'text' }, 'b']],
    [
      'closed in one field of an object',
      ['<private>x', { one: 'y</private>b', other: 'z' }, 'c'],
      ['[private]', { one: 'b', other: '' }, 'c'],
    ],
    [
      'closed in one field and opened again in the next',
      ['<private>x', { one: 'y</private>b', other: 'z</private>c<private>v' }, 'w'],
      ['[private]', { one: 'b', other: 'c[private]' }, ''],
    ],
    [
      'opened again in one field and closed in the next',
      ['<private>x', { one: 'z</private>c<private>v', other: 'y</private>b' }, 'w'],
      ['[private]', { one: 'c[private]', other: 'b' }, ''],
    ],
  ])('%s', (_, value, expected) => {
    expect(json(value)).toEqual(expected);
    expect(json({ content: value, next: 'visible' })).toEqual({ content: expected, next: 'visible' });
  });

  it('is counted once', () => {
    const redactor = new Redactor();
    redactor.json(['<private>x', 'y', 'z</private>']);
    expect(redactor.counts).toEqual({ private: 1 });
  });

  it('fields of one object are values of their own', () => {
    expect(json({ old: '<private>x', new: 'visible' })).toEqual({ old: '[private]', new: 'visible' });
  });

  it('does not go on into the next value', () => {
    const redactor = new Redactor();
    redactor.json(['<private>x']);
    expect([redactor.text('plain text'), redactor.json(['plain text'])]).toEqual(['plain text', ['plain text']]);
  });
});

describe('full values', () => {
  const long = (text: string) => `${text} ${'y'.repeat(VALUE_LIMIT_BYTES)}`;

  it('are handed out redacted, and the note names them', () => {
    const redactor = new Redactor({ storeFullValue: true });
    const text = redactor.text(long('<private>x</private>\u0000'));
    const [full] = redactor.fullValues;
    expect(redactor.fullValues).toHaveLength(1);
    expect(full?.text).toBe(long('[private]\uFFFD'));
    expect(full?.sha256).toBe(
      createHash('sha256')
        .update(full?.text ?? '', 'utf8')
        .digest('hex'),
    );
    expect(text).toContain(
      `… ${byteLength(full?.text ?? '')} bytes in all (sha256:${full?.sha256}), the middle is left out …`,
    );
    expect(byteLength(text)).toBeLessThanOrEqual(VALUE_LIMIT_BYTES);
  });

  it('are each there once, from every depth', () => {
    const redactor = new Redactor({ storeFullValue: true });
    redactor.json({ a: long('one'), b: [long('other'), long('one')], c: 'short' });
    expect(redactor.fullValues.map((full) => full.text)).toEqual([long('one'), long('other')]);
  });

  it('are not stored for a text of the limit exactly', () => {
    const redactor = new Redactor({ storeFullValue: true });
    const text = 'y'.repeat(VALUE_LIMIT_BYTES);
    expect([redactor.text(text), redactor.json({ text })]).toEqual([text, { text }]);
    expect(redactor.fullValues).toEqual([]);
  });

  it('leave lists and other values beside a truncated one unchanged', () => {
    const rest = { list: [1, null, 'x', { y: true }], none: null };
    const cut = new Redactor().json({ ...rest, text: long('one') });
    expect(cut).toMatchObject(rest);
    expect(byteLength(JSON.stringify(cut))).toBeLessThan(VALUE_LIMIT_BYTES + 200);
  });

  it('are dropped unless requested', () => {
    const redactor = new Redactor();
    expect(redactor.text(long('one'))).not.toContain('sha256');
    expect(redactor.fullValues).toEqual([]);
  });

  it('clean text is cut later, once', () => {
    const redactor = new Redactor({ storeFullValue: true });
    const clean = redactor.cleanJson({ a: long('one'), [long('name')]: 1 });
    expect(clean).toEqual({ a: long('one'), [long('name')]: 1 });
    expect(redactor.fullValues).toEqual([]);
    expect(JSON.stringify(redactor.cutJson(clean)).length).toBeLessThan(2 * VALUE_LIMIT_BYTES + 100);
    expect(redactor.fullValues).toHaveLength(2);
  });
});

describe('text that the database refuses', () => {
  it.each([
    ['a name', { 'a\u0000b': 1, 'c\uD83D': 2 }, { 'a\uFFFDb': 1, 'c\uFFFD': 2 }],
    ['a file name', { file_path: '/src/\uDE00\u0000.ts' }, { file_path: '/src/\uFFFD\uFFFD.ts' }],
    ['deep inside', [[{ a: ['\uD83D'] }]], [[{ a: ['\uFFFD'] }]]],
    ['beside what is removed', ['\u0000<private>\uD83D</private>\uDE00'], ['\uFFFD[private]\uFFFD']],
  ])('becomes well-formed in %s', (_, value, expected) => {
    expect(json(value)).toEqual(expected);
  });
});
