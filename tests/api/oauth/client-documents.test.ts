import { createSocket } from 'node:dgram';
import { getServers, setServers } from 'node:dns/promises';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDocumentFetch, isPublicAddress } from '../../../api/oauth/client-documents.ts';
import { checkRedirects } from '../../../api/oauth/client-rules.ts';

const dns = createSocket('udp4');
const servers = getServers();
/** Names that have the address 10.1.2.3, one of them beside a public one; other names get no answer. */
const NAMES: Readonly<Record<string, readonly (readonly number[])[]>> = {
  private: [[10, 1, 2, 3]],
  mixed: [
    [93, 184, 215, 14],
    [10, 1, 2, 3],
  ],
};

beforeAll(async () => {
  dns.on('message', (query, { address, port }) => {
    const name = query.subarray(13, 13 + (query[12] ?? 0)).toString();
    const addresses = NAMES[name];
    if (addresses === undefined) return;
    const end = query.indexOf(0, 12) + 5;
    const isV4 = query.readUInt16BE(end - 4) === 1;
    const answers = isV4 ? addresses.map((each) => [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...each]) : [];
    const head = [query[0] ?? 0, query[1] ?? 0, 0x81, 0x80, 0, 1, 0, answers.length, 0, 0, 0, 0];
    dns.send(Buffer.from([...head, ...query.subarray(12, end), ...answers.flat()]), port, address);
  });
  dns.bind(0, '127.0.0.1');
  await once(dns, 'listening');
  setServers([`127.0.0.1:${dns.address().port}`]);
});
afterAll(() => {
  setServers(servers);
  dns.close();
});

test('ends at its time limit for a name whose servers do not answer', async () => {
  const signal = AbortSignal.timeout(200);
  const answer = createDocumentFetch([])('https://silent.example.org/client.json', { signal });
  await expect(answer).rejects.toMatchObject({ name: 'TimeoutError' });
});

test.each([
  ['93.184.215.14', true],
  ['2606:4700:4700::1111', true],
  ['169.254.169.254', false],
  ['127.0.0.1', false],
  ['10.1.2.3', false],
  ['100.64.0.1', false],
  ['172.31.255.255', false],
  ['192.168.1.1', false],
  ['0.0.0.0', false],
  ['224.0.0.1', false],
  ['255.255.255.255', false],
  ['::1', false],
  ['::', false],
  ['::ffff:127.0.0.1', false],
  ['::ffff:a9fe:a9fe', false],
  ['64:ff9b::a9fe:a9fe', false],
  ['fd00::1', false],
  ['fe80::1', false],
  ['2002:7f00:1::', false],
  ['2001:db8::1', false],
  ['not an address', false],
])('%s is a public address: %s', (address, isPublic) => {
  expect(isPublicAddress(address)).toBe(isPublic);
});

test.each([
  ['the metadata service of a cloud', 'https://169.254.169.254/latest/meta-data', {}],
  ['a number that is an address', 'https://2852039166/latest', {}],
  ['loopback', 'https://127.0.0.1/client.json', {}],
  ['loopback by IPv6', 'https://[::1]/client.json', {}],
  ['IPv4 within IPv6', 'https://[::ffff:169.254.169.254]/', {}],
  ['a name with a private address', 'https://private.example.org/client.json', {}],
  ['a name with a public and a private address', 'https://mixed.example.org/client.json', {}],
  ['plain HTTP', 'http://example.org/client.json', {}],
  ['another scheme', 'file:///etc/passwd', {}],
  ['another method', 'https://example.org/client.json', { method: 'POST' }],
])('rejects the document of a client at %s', async (_what, address, init) => {
  await expect(createDocumentFetch([])(address, init)).rejects.toThrow(/private address|only GET over https/);
});

test.each([
  ['https://app.example.org/callback', 'web'],
  ['http://127.0.0.1:8080/callback', 'native'],
  ['http://localhost/callback', 'native'],
  ['http://[::1]:1/callback', 'native'],
  ['cursor://mcp/callback', 'native'],
])('accepts the redirect address %s of a client, which is %s', (address, type) => {
  const metadata: { application_type?: unknown } = {};
  checkRedirects([address], metadata);
  expect(metadata.application_type).toBe(type);
});

test.each([
  ['http://app.example.org/callback'],
  ['http://localhost.example.org/callback'],
  ['http://127.0.0.1.example.org/callback'],
  ['not an address'],
  [`https://app.example.org/${'a'.repeat(1_000)}`],
])('rejects the redirect address %s', (address) => {
  expect(() => checkRedirects([address], {})).toThrow('invalid_redirect_uri');
});
