import { request } from 'node:http';
import { expect, test } from 'vitest';
import { parseConfig } from '../../../config/config.ts';
import { fileInstance } from '../../setup/file-instance.ts';

const instance = fileInstance({
  RECOLLECT_TRUST_PROXY: '127.0.0.2/32, ::1/128',
  RECOLLECT_ALLOWED_HOSTS: 'memory.example.org,localhost.example.org',
});

interface From {
  readonly headers?: Readonly<Record<string, string>>;
  readonly localAddress?: string;
}

/** Returns the response to an admin who requests a folder of the server: 403 if the caller is not local, 422 if the folder is rejected. */
function askForFolder({ headers, localAddress }: From): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${instance.url}/api/v1/imports`,
      {
        method: 'POST',
        localAddress,
        headers: { authorization: `Bearer ${instance.admin.key}`, 'content-type': 'application/json', ...headers },
      },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify({ kind: 'transcripts', directory: '/nowhere' }));
  });
}

test('an admin on the machine itself counts as local', async () => {
  expect(await askForFolder({})).toBe(422);
  expect(await askForFolder({ headers: { host: 'localhost:37700' } })).toBe(422);
});

test.each<[string, From]>([
  ['Forwarded', { headers: { forwarded: 'for=127.0.0.1' } }],
  ['X-Forwarded-For', { headers: { 'x-forwarded-for': '127.0.0.1' } }],
  ['X-Forwarded-Proto alone', { headers: { 'x-forwarded-proto': 'https' } }],
  ['X-Forwarded-Host alone', { headers: { 'x-forwarded-host': 'memory.example.org' } }],
  ['X-Real-IP', { headers: { 'x-real-ip': '127.0.0.1' } }],
  ['Via', { headers: { via: '1.1 proxy' } }],
  ['CF-Connecting-IP', { headers: { 'cf-connecting-ip': '127.0.0.1' } }],
  ['a name of another host', { headers: { host: 'memory.example.org' } }],
  ['a name that begins like loopback', { headers: { host: 'localhost.example.org' } }],
  ['the address of a trusted proxy, with no header', { localAddress: '127.0.0.2' }],
])('a request with %s does not count as local', async (_what, from) => {
  expect(await askForFolder(from)).toBe(403);
});

test.each([
  ['true', {}],
  ['1', {}],
  ['localhost', {}],
  ['127.0.0.1', {}],
  ['0.0.0.0/0', {}],
  ['127.0.0.1/33', {}],
  ['127.0.0.1/32', { RECOLLECT_HTTP_HOST: '0.0.0.0', RECOLLECT_ALLOW_PLAIN_HTTP: 'true' }],
])('the configuration refuses to trust %s with %j', (trusted, more) => {
  expect(() => parseConfig({ ...instance.environment, RECOLLECT_TRUST_PROXY: trusted, ...more })).toThrow(
    'RECOLLECT_TRUST_PROXY',
  );
});
