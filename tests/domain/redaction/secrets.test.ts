import { describe, expect, it } from 'vitest';
import { isSecretField, removeSecrets } from '../../../domain/redaction/secrets.ts';

function redact(text: string): { readonly text: string; readonly counts: Record<string, number> } {
  const removed = new Map<string, number>();
  const remaining = removeSecrets(text, removed);
  return { text: remaining, counts: Object.fromEntries(removed) };
}

// Put together from parts, so that no scanner takes this file for a leak.
const A36 = 'aB3dE6gH9jK2mN5pQ8sT1vW4yZ7cF0hJ3kL6';
const JWT = ['eyJhbGciOiJIUzI1NiJ9', 'eyJzdWIiOiIxMjM0NTY3ODkwIn0', 'dozjgNryP4J3jVmNHl0w5N_XgL0n3I9'].join('.');
const AWS = 'IOSFODNN7EXAMPLE';
const KEY = 'KEY';
const KEY_LINES = `MIIEvQIBADANBgkqhkiG9w0BAQ\n${A36}+/==`;

// A sample of one kind belongs to samples-platforms.ts or samples-services.ts; here are surroundings, cuts and texts without any secret.
describe('kinds of secrets', () => {
  it.each([
    ['private-key', `-----BEGIN PRIVATE ${KEY}-----\n${KEY_LINES}\n-----END PRIVATE KEY-----`],
    [
      'private-key',
      `-----BEGIN PGP PRIVATE ${KEY} BLOCK-----\nVersion: x\n\n${KEY_LINES}\n-----END PGP PRIVATE KEY BLOCK-----`,
    ],
    ['private-key', `-----BEGIN OPENSSH PRIVATE ${KEY}-----\\n${A36}\\n-----END OPENSSH PRIVATE KEY-----`],
    ['slack-token', `xoxb-${A36.slice(0, 12)}-abcdef`],
    ['jwt', `session-${JWT}`],
  ])('%s: all of %s', (kind, secret) => {
    expect(redact(`see ${secret} there`)).toEqual({ text: `see [redacted:${kind}] there`, counts: { [kind]: 1 } });
  });

  it.each([
    ['url-password', 'postgres://postgres:', 'postgres', '@db.example/app'],
    ['bearer-token', 'authorization: bearer ', A36, ' -v'],
    ['assigned-secret', 'DB_PASSWORD=', 'hunter2$hunter', ' next'],
    ['assigned-secret', 'MY_SECRET_KEY = "', 'correct horse battery', '"'],
    ['assigned-secret', "GITHUB_ACCESS_TOKEN='", 'abcdefgh', "'"],
    ['assigned-secret', 'POSTGRES_PASSWORD: ', 'hunter2hunter', '\nPORT: 5432'],
    ['assigned-secret', '{"user": "me", "password": "', 'hunter2 hunter', '", "port": 5432}'],
    ['assigned-secret', String.raw`{\"api_key\":\"`, 'hunter2hunter', String.raw`\",\"a\":1}`],
    ['assigned-secret', "const clientSecret = '", 'hunter2hunter', "';"],
  ])('%s: the secret alone after %s', (kind, before, secret, after) => {
    expect(redact(`${before}${secret}${after}`)).toEqual({
      text: `${before}[redacted:${kind}]${after}`,
      counts: { [kind]: 1 },
    });
  });

  it.each([
    ['a public key', '-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqh\n-----END PUBLIC KEY-----'],
    ['a certificate', '-----BEGIN CERTIFICATE-----\nMIIBIjANBgkqh\n-----END CERTIFICATE-----'],
    ['a short AWS id', 'AKIAIOSFODNN7'],
    ['an AWS id in lower case', 'akiaiosfodnn7example'],
    ['an AWS id inside a word', `XAKIA${AWS}`],
    ['names with sk', 'risk-assessment-of-the-full-project-and-more'],
    ['a publishable key', `pk_test_${A36.slice(0, 24)}`],
    ['a package', 'npm_config_registry and npm_lifecycle_event'],
    ['a URL without a password', 'https://github.com/o/r and http://localhost:3000/a@b'],
    ['a user in a URL', 'ssh://git@github.com/o/r'],
    ['a short value', 'PASSWORD=short'],
    ['a variable', 'PASSWORD=$DB_PASSWORD_FROM_VAULT'],
    ['a placeholder', 'PASSWORD=<your password>'],
    ['code in lower case', 'const password = readPassword(prompt);'],
    ['a type', 'password: string; secret?: SecretRef;'],
    ['an empty value', '{"password": "", "token": null}'],
    ['prose', 'The secret of the password is that the api key is public.'],
    ['a commit', 'commit 3f786850e387550fdab836ed7e6dc881de23001b'],
    ['a UUID', '0192f0c1-2345-7abc-8def-0123456789ab'],
  ])('%s is none', (_, text) => {
    expect(redact(text)).toEqual({ text, counts: {} });
  });

  it('counts every one by kind, and takes each once', () => {
    expect(redact(`API_KEY=sk-ant-${A36} ghp_${A36} ghp_${A36}`)).toEqual({
      text: 'API_KEY=[redacted:anthropic-key] [redacted:github-token] [redacted:github-token]',
      counts: { 'anthropic-key': 1, 'github-token': 2 },
    });
  });

  it('is done with a text that went through it', () => {
    const once = redact(`PASSWORD="hunter2hunter" postgres://a:hunter2@h {"secret":"hunter2hunter"}`).text;
    expect(redact(once)).toEqual({ text: once, counts: {} });
  });
});

describe('private keys that are cut off', () => {
  const header = `-----BEGIN PRIVATE ${KEY}-----`;

  it.each([
    ['at the end', `${header}\n${KEY_LINES}`, '[redacted:private-key]'],
    ['before another text', `${header}\n${KEY_LINES}\n\n$ npm test`, '[redacted:private-key]$ npm test'],
    [
      'before a very long text',
      `${header}\n${KEY_LINES}\n(${'more of it '.repeat(3_000)}`,
      `[redacted:private-key](${'more of it '.repeat(3_000)}`,
    ],
    [
      'and another one after it',
      `${header}\n${KEY_LINES}'; '${header}\n${KEY_LINES}\n-----END PRIVATE KEY-----'`,
      `[redacted:private-key]'`,
    ],
  ])('%s', (_, text, expected) => {
    expect(redact(text).text).toBe(expected);
  });

  it('counts two complete keys as two', () => {
    const key = `${header}\n${KEY_LINES}\n-----END PRIVATE KEY-----`;
    expect(redact(`a ${key} b ${key} c`)).toEqual({
      text: 'a [redacted:private-key] b [redacted:private-key] c',
      counts: { 'private-key': 2 },
    });
  });
});

it('counts the private keys of several texts', () => {
  const removed = new Map<string, number>();
  const key = `-----BEGIN PRIVATE ${KEY}-----\n${KEY_LINES}\n-----END PRIVATE KEY-----`;
  for (const text of [key, `${key}\n${key}`]) removeSecrets(text, removed);
  expect(Object.fromEntries(removed)).toEqual({ 'private-key': 3 });
});

describe('names of secret fields', () => {
  it.each([
    'password',
    'Password',
    'DB_PASSWORD',
    'dbPassword',
    'passwd',
    'secret',
    'client_secret',
    'clientSecret',
    'apiKey',
    'api-key',
    'X-Api-Key',
    'APIKEY',
    'accessToken',
    'refresh_token',
    'authToken',
    'privateKey',
    'Authorization',
    'Cookie',
    'Set-Cookie',
    'passphrase',
    'secretAccessKey',
    'SESSION_TOKEN',
    'encryption-key',
    'proxy-authorization',
  ])('%s', (name) => {
    expect(isSecretField(name)).toBe(true);
  });

  it.each([
    'passwords_seen',
    'secretary',
    'keyword',
    'tokens',
    'max_tokens',
    'file_path',
    'author',
    'api_key_id',
    'compass',
    'cookies',
    'public_key',
    'token',
    'page_token',
    'bypass',
    '',
  ])('not %j', (name) => {
    expect(isSecretField(name)).toBe(false);
  });
});
