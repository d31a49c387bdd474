import { describe, expect, it } from 'vitest';
import { byteLength, VALUE_LIMIT_BYTES } from '../../../domain/capture/well-formed.ts';
import { Redactor } from '../../../domain/redaction/redact.ts';
import { SECRET_RULES } from '../../../domain/redaction/secret-rules.ts';
import { processorMs } from '../../setup/processor-time.ts';

const json = (value: unknown): unknown => new Redactor().json(value);

/** Starts of patterns, repeated: hints of every rule, and near misses of numbers. */
const ADVERSARIAL = [
  ...new Set(
    SECRET_RULES.flatMap((rule) =>
      rule.hints.map((hint) => hint.replaceAll('#', '7').replaceAll('?', 'p').replace('|', ' ')),
    ),
  ),
  'a@',
  'a@b.',
  `${'a'.repeat(64)}@`,
  '@a.b.c.d.e.f',
  'jane@acme.io',
  '1',
  '1 ',
  '12-',
  '1.',
  '1.2.3.4 ',
  '1.2.3.',
  '2001:',
  '2001::',
  '::1',
  '+1 ',
  '+1-2-3-4',
  '4111 1111 ',
  'DE89 3704 ',
  'DE89',
  '536-22-',
  '756.1234.',
  'born ',
  'birth date: 1',
  'phone: 1 ',
  'phone: ',
  'steuer-id ',
  'dni x1234567',
  'sin 046 454 ',
  'codice fiscale ',
  '\\',
  '\\\\u003c',
  '\\u003cprivate ',
  '&lt;private ',
  '&lt;',
  '%3cprivate+',
  '</private &lt;',
  '[redacted:',
  'M'.repeat(24),
  `M${'a'.repeat(23)}.abcdef.`,
  '.abcdef',
  'curl -u a',
  'cookie: a=b; ',
  `cookie: a=${'b'.repeat(20)}; `,
  '$2b$12$',
  '$argon2id$v=1$',
  'password=";password=',
  'token: "',
  `x-api-key: ${'a'.repeat(500)} `,
  'twilio token ',
  'datadog key',
  ' -u a:bcd',
  ' curl -u a:b',
  '://a:b',
  'x://a:bcd@',
  `a://${'b'.repeat(99)}:`,
  '--password abcdefgh ',
  'password: "abc',
  'SECRET=process.env.',
  '; pwd=a',
  'eyJaaaaaaaaaaaaa.eyJ',
  'machine a.b login c ',
  '(212) 736-',
  '1 85 05 78 006 084 9',
  '1.1.1.1 2001:: a@b.co ',
];

/** Inputs that a careless pattern reads again and again. Each case takes a few hundredths of a second; quadratic ones took many. */
describe('time', () => {
  const MIB = 1024 * 1024;
  const LIMIT_MS = 1_000;
  const repeated = (piece: string): string => piece.repeat(Math.ceil(MIB / piece.length));
  const key = ['-----BEGIN PRIVATE', 'KEY-----'].join(' ');

  it.each([
    '<private>',
    '<private>x</private>',
    '<private ',
    '<private <',
    '< private>',
    '<  private',
    '<   ',
    'a<Private>',
    'a<Private></Private>',
    '<system-reminder><private></system-reminder>',
    '<system-reminder><private></system-reminder></private>',
    '< / private ',
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
    ...ADVERSARIAL,
  ])('1 MiB of %j', (piece) => {
    const text = repeated(piece);
    expect(processorMs(() => new Redactor().text(text))).toBeLessThan(LIMIT_MS);
  });

  it.each([
    ['lists', `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
    ['objects', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`],
    ['both, with private text at the bottom', `${'[{"a":'.repeat(10_000)}"<private>x"${'}]'.repeat(10_000)}`],
  ])('%s ten thousand deep', (_, text) => {
    const value: unknown = JSON.parse(text);
    const spentMs = processorMs(() => expect(JSON.stringify(json(value))).toContain('[too deep]'));
    expect(spentMs).toBeLessThan(LIMIT_MS);
  });

  it('a text of 32 MiB does not exhaust the stack', () => {
    const text = `${'A'.repeat(16 * MIB)} bearer ${'a'.repeat(16 * MIB)}`;
    expect(byteLength(new Redactor().text(text))).toBeLessThanOrEqual(VALUE_LIMIT_BYTES);
  });
});
