import { expect, test } from 'vitest';
import { z } from 'zod';
import { httpConfig, httpEnvironment, httpFaults } from '../../config/http-settings.ts';

const schema = z.object(httpEnvironment);
const faultsOf = (trusted: string) =>
  httpFaults(
    httpConfig(
      schema.parse({
        RECOLLECT_HTTP_HOST: '0.0.0.0',
        RECOLLECT_ALLOW_PLAIN_HTTP: 'true',
        RECOLLECT_TRUST_PROXY: trusted,
      }),
    ),
  ).map(([setting]) => setting);

test.each([
  '10.0.0.0/8',
  '172.16.0.0/12',
  '172.31.255.0/24',
  '192.168.4.7/32',
  '100.64.0.0/10',
  'fd00:1::/48',
  '10.1.0.0/16, 192.168.0.0/16',
])('an api beyond loopback may trust proxies in the private range %s', (trusted) => {
  expect(faultsOf(trusted)).toEqual([]);
});

test.each([
  '127.0.0.0/8',
  '172.16.0.0/11',
  '172.32.0.0/16',
  '192.168.0.0/15',
  '100.64.0.0/9',
  '100.128.0.0/10',
  '8.8.8.0/24',
  '2001:db8::/32',
  '10.0.0.0/24, 203.0.113.5/32',
])('an api beyond loopback refuses to trust %s, where clients may be', (trusted) => {
  expect(faultsOf(trusted)).toContain('RECOLLECT_TRUST_PROXY');
});
