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
  ])('secret-named field: %s', (_, value, expected) => {
    expect(json(value)).toEqual(expected);
  });

  it('counts over all values of a row; nothing found is null', () => {
    const redactor = new Redactor();
    redactor.json({ a: 'b' });
    expect(redactor.counts).toBeNull();
    redactor.json({ password: 'x', b: '<private>x</private>' });
    redactor.text('<private>y');
    expect(redactor.counts).toEqual({ 'secret-field': 1, private: 2 });
  });

  it('takes a name as data, whatever it is', () => {
    const value: unknown = JSON.parse('{"__proto__":{"polluted":true},"constructor":"x","toString":"y"}');
    const clean = json(value);
    expect(JSON.stringify(clean)).toBe('{"__proto__":{"polluted":true},"constructor":"x","toString":"y"}');
    expect({}).not.toHaveProperty('polluted');
  });

  it('keeps forty levels and notes what lies deeper', () => {
    const nested = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}"x"${']'.repeat(levels)}`);
    expect(JSON.stringify(json(nested(40)))).toBe(JSON.stringify(nested(40)));
    expect(JSON.stringify(json(nested(41)))).toBe(`${'['.repeat(40)}"[too deep]"${']'.repeat(40)}`);
  });
});

/** Inputs that a careless pattern reads again and again. Each case takes a few hundredths of a second; quadratic ones took many. */
describe('time', () => {
  const MIB = 1024 * 1024;
  const LIMIT_MS = 2_000;
  const repeated = (piece: string): string => piece.repeat(Math.ceil((2 * MIB) / piece.length));
  const key = ['-----BEGIN PRIVATE', 'KEY-----'].join(' ');

  it.each([
    '<private>',
    '<private>x</private>',
    '<private ',
    '<private <',
    `<private ${'x'.repeat(300)}<`,
    '</private>',
    '<system-reminder><private>',
    '<',
    '-----BEGIN ',
    key,
    `${key}'`,
    `${key}\n-----END `,
    'A',
    'a',
    ' ',
    'eyJ-',
    '-eyJaaaaaaaaaaaaa',
    '.eyJaaaaaaaaaaaaa',
    'bearer ',
    'ab://a:',
    'a.b-',
    'A_',
    `${'A'.repeat(60)} `,
    'PASSWORD= ',
    'password="',
    'sk-',
    'AKIA',
    'xoxb-',
    'aws_secret_key=',
  ])('2 MiB of %j', (piece) => {
    const text = repeated(piece);
    const started = performance.now();
    new Redactor().text(text);
    expect(performance.now() - started).toBeLessThan(LIMIT_MS);
  });

  it.each([
    ['lists', `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
    ['objects', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`],
    ['both, with private text at the bottom', `${'[{"a":'.repeat(10_000)}"<private>x"${'}]'.repeat(10_000)}`],
  ])('%s ten thousand deep', (_, text) => {
    const value: unknown = JSON.parse(text);
    const started = performance.now();
    const clean = JSON.stringify(json(value));
    expect(performance.now() - started).toBeLessThan(LIMIT_MS);
    expect(clean).toContain('[too deep]');
  });

  it('a text of 32 MiB does not exhaust the stack', () => {
    const text = `${'A'.repeat(16 * MIB)} bearer ${'a'.repeat(16 * MIB)}`;
    expect(byteLength(new Redactor().text(text))).toBeLessThanOrEqual(VALUE_LIMIT_BYTES);
  });
});
