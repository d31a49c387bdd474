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
      ['France, December', '185127800608409', ''],
      ['France, January', '185017800608427', ''],
      ['France, month unknown', '185207800608440', ''],
      ['Brazil', '529.982.247-25', ''],
      ['China', '11010519491231002X', ''],
      ['Korea', '850101-1234566', ''],
      ['another of Korea', '900228-2345670', ''],
      ['Switzerland', '756.9217.0769.85', ''],
      ['another of Switzerland', '756.1234.5678.97', ''],
      ['Germany', '86095742719', 'Steuer-ID: '],
      ['another of Germany', '65929970489', 'Steuer-ID: '],
      ['Spain', '12345678Z', 'DNI '],
      ['Spain with a dash', '12345678-Z', 'DNI '],
      ['foreigners in Spain', 'X1234567L', 'NIE: '],
      ['Italy', 'RSSMRA85T10A562S', 'codice fiscale '],
      ['another of Italy', 'MRTMTT91D08F205J', 'codice fiscale '],
      ['Poland', '44051401359', 'PESEL: '],
      ['India', '2341 2341 2346', 'Aadhaar no. '],
      ['Netherlands', '111222333', 'BSN '],
      ['Sweden', '811228-9874', 'personnummer: '],
      ['Sweden with the century', '19811228-9874', 'personnummer: '],
      ['Canada', '046 454 286', 'SIN: '],
      ['United Kingdom', 'AB 12 34 56 C', 'National Insurance number: '],
    ],
  ],
  [
    'email',
    [
      ['plain', 'jane.doe@acme.io', ''],
      ['with a plus', 'jane+list@mail.acme.co.uk', ''],
      ['of eight characters', 'jo@ac.io', ''],
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
      ['of nine digits', plus('49', '30 12345'), ''],
      ['of fifteen digits', plus('123', '1234 1234 1234'), ''],
      ['of ten digits in one piece', '+1234567890', 'call '],
      ['called one of seven digits', '123-4567', 'Tel: '],
      ['called one of fifteen digits', '123456789012345', 'Tel: '],
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
      ['of few digits', '1.2.3.44', ''],
      ['of version 6', '2a00:1450:4001:82a::200e', ''],
      ['all groups', '2001:4860:4860:0:0:0:0:8844', '['],
      ['a gap at the end', '2a00:1450:4001::', ''],
      ['groups of the documentation prefix inside', '2a00:1450:2001:db8:1:2:3:4', ''],
      ['the largest number', '93.255.184.14', ''],
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
    ['an IBAN of another length with its check digits', 'DE543704004405320130001'],
    ['an IBAN of no country', 'ZZ89370400440532013000'],
    ['a part number', 'AB12345678901234567'],
    ['an area that is never given out', '666-22-8145'],
    ['a group of zeros', '536-00-8145'],
    ['an area of zeros', '000-22-8145'],
    ['an area above 899', '936-22-8145'],
    ['a serial of zeros', '536-22-0000'],
    ['the number of a wallet insert', '078-05-1120'],
    ['the number of a pamphlet', '219-09-9999'],
    ['a date', '2026-01-02 03:04:05.678'],
    ['a date range', '2026-01-02/2026-03-04'],
    ['a phone-like id', 'abc-536-22-8145'],
    ['a CPF with a wrong digit', '529.982.247-26'],
    ['a CPF of one digit', '111.111.111-11'],
    ['a French number of month 0', '185007800608411'],
    ['a French number of month 13', '185137800608425'],
    ['a French number of month 19', '185197800608424'],
    ['a Korean number of no day', '850230-1234561'],
    ['a Korean number with a wrong digit', '850101-1234567'],
    ['a French number with a wrong digit', '1 85 05 78 006 084 92'],
    ['a Chinese number with a wrong digit', '110105194912310037'],
    ['a Chinese number of February 30', '110105194902300020'],
    ['a Chinese number of month 13', '110105194913050020'],
    ['a Chinese number of the year 2041', '11010520410101002X'],
    ['a Swiss number with a wrong digit', '756.9217.0769.84'],
    ['a codice fiscale with a wrong letter', 'codice fiscale RSSMRA85T10A562T'],
    ['a PESEL with a wrong digit', 'PESEL: 44051401358'],
    ['a personnummer with a wrong digit', 'personnummer: 811228-9875'],
    ['a SIN with a wrong digit', 'SIN: 046 454 287'],
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
    ['a later line of a diff', 'a\n+1234567890'],
    ['eight digits beside a long number', '123456789012 +49 30 1234'],
    ['nine digits in one piece', 'call +123456789'],
    ['nineteen digits in groups', '+123 1234 1234 1234 1234'],
    ['six digits with a label', 'Tel: 12 34 56'],
    ['sixteen digits with a label', 'Tel: 1234567890123456'],
    ['a number of a film with a label', 'Tel: (212) 555-0123'],
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
    ['a second number over 255', '93.256.215.14'],
    ['a version at the start of a long text', `version 93.184.215.14 ${'x '.repeat(40)}`],
    ['a group of five digits', '2a00:14505:4001:82a::200e'],
    ['three colons', '2a00:1450:::200e'],
    ['seven groups without a gap', '2a00:1450:4001:82a:1:2:3'],
    ['nine groups', '2a00:1450:4001:82a:1:2:3:4:5'],
    ['eight groups and a gap', '2a00::1:2:3:4:5:6:7'],
    ['two gaps', '2a00:1450::1::2'],
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

describe('networks of version 4', () => {
  it.each(
    `0.93.184.215 10.93.184.215 127.93.184.215 224.93.184.215 255.93.184.215 100.64.93.184 100.127.93.184
     169.254.93.184 172.16.93.184 172.31.93.184 192.168.93.184 192.0.0.93 192.0.2.93 192.88.99.93 198.18.93.184
     198.19.93.184 198.51.100.93 203.0.113.93 20.20.20.20`.split(/\s+/),
  )('%s stays', (address) => {
    expect(found(address).text).toBe(address);
  });

  it.each(
    `1.93.184.215 11.93.184.215 126.93.184.215 128.93.184.215 223.93.184.215 100.63.93.184 100.128.93.184
     101.64.93.184 169.253.93.184 168.254.93.184 172.15.93.184 172.32.93.184 171.16.93.184 192.167.93.184
     191.168.93.184 192.0.1.93 192.1.0.93 192.88.98.93 192.87.99.93 198.17.93.184 198.20.93.184 199.18.93.184
     198.51.99.93 198.50.100.93 199.51.100.93 203.0.112.93 203.1.113.93 202.0.113.93 20.20.20.21`.split(/\s+/),
  )('%s is public', (address) => {
    expect(found(address).text).toBe('[redacted:ip-address]');
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

  it('counts each removal of a kind', () => {
    const redactor = new Redactor({ removeClasses: ['sensitive'] });
    redactor.text('jane@acme.io and joe@acme.io');
    expect(redactor.counts).toEqual({ email: 2 });
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
