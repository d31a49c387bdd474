import { describe, expect, it } from 'vitest';
import { PERSONAL_KINDS } from '../../../domain/redaction/personal/personal-data.ts';
import { Redactor } from '../../../domain/redaction/redact.ts';

/** Redacts a text with all personal data to be removed. */
function found(text: string): { readonly text: string; readonly kinds: readonly string[]; readonly dataClass: string } {
  const redactor = new Redactor({ removeClasses: ['sensitive', 'restricted'] });
  const clean = redactor.text(text);
  return { text: clean, kinds: Object.keys(redactor.counts ?? {}), dataClass: redactor.dataClass };
}

const plus = (country: string, rest: string) => `+${country} ${rest}`;

describe.each<[string, readonly [string, string, string][]]>([
  [
    'payment-card',
    [
      ['Visa', '4111 1111 1111 1111', ''],
      ['Visa in one piece', '4242424242424242', ''],
      ['with dashes', '5555-5555-5555-4444', ''],
      ['American Express', '3782 822463 10005', ''],
      ['Discover', '6011111111111117', ''],
      ['Mastercard of the second range', '2223003122003222', ''],
    ],
  ],
  [
    'iban',
    [
      ['in groups', 'DE89 3704 0044 0532 0130 00', ''],
      ['in one piece', 'GB29NWBK60161331926819', ''],
      ['French', 'FR14 2004 1010 0505 0001 3M02 606', ''],
      ['Dutch', 'NL91ABNA0417164300', ''],
      ['Norwegian', 'NO93 8601 1117 947', ''],
    ],
  ],
  [
    'national-id',
    [
      ['United States', '536-22-8145', ''],
      ['France', '1 85 05 78 006 084 91', ''],
      ['Brazil', '529.982.247-25', ''],
      ['China', '11010519491231002X', ''],
      ['Korea', '850101-1234566', ''],
      ['Switzerland', '756.9217.0769.85', ''],
      ['Germany', '86095742719', 'Steuer-ID: '],
      ['Spain', '12345678Z', 'DNI '],
      ['foreigners in Spain', 'X1234567L', 'NIE: '],
      ['Italy', 'RSSMRA85T10A562S', 'codice fiscale '],
      ['Poland', '44051401359', 'PESEL: '],
      ['India', '2341 2341 2346', 'Aadhaar no. '],
      ['Netherlands', '111222333', 'BSN '],
      ['Sweden', '811228-9874', 'personnummer: '],
      ['Canada', '046 454 286', 'SIN: '],
      ['United Kingdom', 'AB 12 34 56 C', 'National Insurance number: '],
    ],
  ],
  [
    'email',
    [
      ['plain', 'jane.doe@acme.io', ''],
      ['with a plus', 'jane+list@mail.acme.co.uk', ''],
      ['in angles', 'jane@acme.io', 'Jane <'],
      ['in JSON', 'j@acme.io', '{"to":"'],
    ],
  ],
  [
    'phone',
    [
      ['international', plus('49', '30 1234567'), ''],
      ['with an area in brackets', plus('44', '(20) 7946 0958'), 'call '],
      ['North American', '(212) 736-5000', ''],
      ['with dots', '212.736.5000', ''],
      ['in one piece', '+442079460958', 'call '],
      ['called one', '030 1234567', 'Tel.: '],
      ['in JSON', '0301234567', '"phone": "'],
    ],
  ],
  [
    'ip-address',
    [
      ['of version 4', '93.184.215.14', ''],
      ['with a port', '52.95.110.1', 'http://'],
      ['of version 6', '2a00:1450:4001:82a::200e', ''],
      ['all groups', '2001:4860:4860:0:0:0:0:8844', '['],
    ],
  ],
  [
    'birth-date',
    [
      ['born', '1984-05-06', 'born on '],
      ['in a form', '06.05.1984', 'Date of birth: '],
      ['in JSON', '1984-05-06', '"birth_date":"'],
      ['in words', '6 May 1984', 'Born '],
      ['German', '6. Mai 1984', 'geboren am '],
    ],
  ],
])('%s', (kind, samples) => {
  it.each(samples)('%s', (_, value, before) => {
    expect(found(`${before}${value}`)).toMatchObject({ text: `${before}[redacted:${kind}]`, kinds: [kind] });
    expect(found(`a\n${before}${value}, then more`).text).toBe(`a\n${before}[redacted:${kind}], then more`);
  });
});

describe('lookalikes', () => {
  it.each([
    ['a card with a wrong digit', '4111 1111 1111 1112'],
    ['a card of no issuer', '9999999999999995'],
    ['a number inside a longer one', '41111111111111111111'],
    ['a fraction', '0.4111111111111111'],
    ['part of an id', 'id-4111111111111111'],
    ['microseconds', '1735787045678123'],
    ['a card in mixed groups', '4111 1111-1111 1111'],
    ['an IBAN with a wrong digit', 'DE88 3704 0044 0532 0130 00'],
    ['an IBAN with another wrong digit', 'DE87 3704 0044 0532 0130 00'],
    ['an IBAN of another length', 'DE893704004405320130001'],
    ['an IBAN of no country', 'ZZ89370400440532013000'],
    ['a part number', 'AB12345678901234567'],
    ['an area that is never given out', '666-22-8145'],
    ['a group of zeros', '536-00-8145'],
    ['a date', '2026-01-02 03:04:05.678'],
    ['a date range', '2026-01-02/2026-03-04'],
    ['a phone-like id', 'abc-536-22-8145'],
    ['a CPF with a wrong digit', '529.982.247-26'],
    ['a Chinese number of no day', '11010519491331002X'],
    ['a Steuer-ID with a wrong digit', 'Steuer-ID: 86095742718'],
    ['eleven digits without a label', '86095742719'],
    ['a DNI with a wrong letter', 'DNI 12345678A'],
    ['a word like a name of a number', 'dnipro 12345678Z'],
    ['Aadhaar with a wrong digit', 'Aadhaar 2341 2341 2347'],
    ['a BSN with a wrong digit', 'BSN 111222334'],
    ['a machine that sends', 'noreply@acme.io'],
    ["a host's address for commits", '12345+jane@users.noreply.github.com'],
    ['an assistant in a commit', 'Co-Authored-By: A <noreply@anthropic.com>'],
    ['an example', 'jane@example.com and joe@shop.example'],
    ['a remote', 'git@github.com:o/r.git'],
    ['a package', 'npm i @types/node@22.1.0 zod@4.6.0'],
    ['a picture for two pixels', 'logo@2x.png'],
    ['a machine of the network', 'me@printer.local'],
    ['a decorator', '@app.get("/x")'],
    ['a user in a URL', 'https://jane@host.io/x'],
    ['a short number', 'call 12345'],
    ['a number of a film', '(212) 555-0123'],
    ['a diff', '+1234567890'],
    ['a sum', 'a[3]+4294967296'],
    ['a time zone', '2026-01-02T03:04:05+02:00'],
    ['a version', 'version 93.184.215.14'],
    ['small numbers', '4.12.3.1'],
    ['a browser', 'Chrome/120.0.99.14'],
    ['loopback', '127.0.0.1:5432'],
    ['private networks', '10.1.2.3 172.20.0.1 192.168.178.21 100.64.1.1 169.254.169.254'],
    ['documentation', '192.0.2.44 198.51.100.44 203.0.113.44 2001:db8::44:1:2'],
    ['a public resolver', '8.8.8.8'],
    ['more than four numbers', '93.184.215.14.7'],
    ['numbers over 255', '300.184.215.14'],
    ['numbers with zeros in front', '093.184.215.014'],
    ['link-local', 'fe80::1:2:3:4'],
    ['a MAC address', '20:00:aa:bb:cc:dd'],
    ['a scope in code', '2001::std::vector::at'],
    ['a time', 'at 20:01:12:30'],
    ['a date of something else', 'released on 1984-05-06'],
    ['born without a date', 'born in the USA'],
    ['a commit', '3f786850e387550fdab836ed7e6dc881de23001b'],
    ['a UUID', '01926f3e-1234-7abc-8def-012345678901'],
    ['sizes', '-rw-r--r-- 1 root root 123456789 Jan 2 03:04 a'],
  ])('%s', (_, text) => {
    expect(found(text)).toEqual({ text, kinds: [], dataClass: 'internal' });
  });
});

describe('classes', () => {
  const classOf = (text: string) => {
    const redactor = new Redactor();
    return [redactor.text(text), redactor.dataClass] as const;
  };

  it.each([
    ['nothing', 'hello there', 'hello there', 'internal'],
    ['an e-mail address stays', 'ask jane@acme.io', 'ask jane@acme.io', 'sensitive'],
    ['a card goes', 'pay 4111 1111 1111 1111', 'pay [redacted:payment-card]', 'restricted'],
    ['a secret goes', 'DB_PASSWORD=hunter2hunter', 'DB_PASSWORD=[redacted:assigned-secret]', 'confidential'],
    ['private text goes', '<private>x</private>', '[private]', 'confidential'],
    ['injected text has no effect', '<system-reminder>x</system-reminder>y', 'y', 'internal'],
    [
      'the highest wins',
      'jane@acme.io <private>x</private> 536-22-8145',
      'jane@acme.io [private] [redacted:national-id]',
      'restricted',
    ],
    ['what a client took out', 'a [redacted:jwt] b', 'a [redacted:jwt] b', 'confidential'],
    ['what a client took out that is restricted', 'a [redacted:iban] b', 'a [redacted:iban] b', 'restricted'],
    ['what a client took out as private', 'a [private] b', 'a [private] b', 'confidential'],
  ])('%s', (_, text, clean, dataClass) => {
    expect(classOf(text)).toEqual([clean, dataClass]);
  });

  it('is that of all values of a row', () => {
    const redactor = new Redactor();
    redactor.json({ a: 'jane@acme.io', b: { password: 'x' } });
    redactor.text('nothing');
    expect(redactor.dataClass).toBe('confidential');
  });

  it('removes the configured classes', () => {
    const redactor = new Redactor({ removeClasses: [] });
    expect(redactor.text('4111 1111 1111 1111 jane@acme.io')).toBe('4111 1111 1111 1111 jane@acme.io');
    expect(redactor.counts).toBeNull();
    expect(redactor.dataClass).toBe('restricted');
  });

  it('every kind has a class', () => {
    expect(Object.fromEntries(PERSONAL_KINDS)).toEqual({
      email: 'sensitive',
      phone: 'sensitive',
      'ip-address': 'sensitive',
      'birth-date': 'sensitive',
      'payment-card': 'restricted',
      iban: 'restricted',
      'national-id': 'restricted',
    });
  });
});
