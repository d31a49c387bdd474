import { request } from 'node:http';
import { expect } from 'vitest';
import { meSchema } from '../../../contract/access.ts';
import { tokenAnswer } from '../../../contract/login.ts';
import type { TestUser } from '../../setup/database.ts';
import type { ApiAnswer, TestInstance } from '../../setup/instance.ts';
import { bodyOf, errorOf } from './answers.ts';

export const PASSWORD = 'correct horse battery';

/** Sets the password of a user by the user's key; returns what logs the user in. */
export async function withPassword(instance: TestInstance, { key }: Pick<TestUser, 'key'>, password = PASSWORD) {
  const { user, tenant } = bodyOf(meSchema, await instance.get('/auth/me', key));
  const answer = await instance.put('/auth/password', { password }, key);
  expect([answer.status, answer.body]).toEqual([200, { token: null }]);
  return { login: user.username, password, tenant: tenant.name };
}

/** Returns the refresh cookie that an answer sets, as the header of a request. */
export function cookieOf({ headers }: Pick<ApiAnswer, 'headers'>): string {
  return (headers.get('set-cookie') ?? '').split(';', 1).join('');
}

/** Returns the bytes of an authenticator's secret in base 32. */
export function secretBytes(text: string): Buffer {
  const bits = Array.from(text, (letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  );
  const bytes = bits.join('').match(/.{8}/g) ?? [];
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)));
}

/** Logs a user in; returns the access token and the refresh cookie. */
export async function logIn(instance: TestInstance, credentials: Awaited<ReturnType<typeof withPassword>>) {
  const answer = await instance.post('/auth/login', credentials, null);
  return { ...bodyOf(tokenAnswer, answer), cookie: cookieOf(answer) };
}

/** Expects the end of the session of an access token: every process learns of it within a second, on a busy machine later. */
export async function expectEnded(instance: TestInstance, token: string): Promise<void> {
  const refusal = async (): Promise<string> => {
    const answer = await instance.get('/auth/me', token);
    return answer.status === 200 ? 'none' : errorOf(answer).code;
  };
  await expect.poll(refusal).toBe('INVALID_TOKEN');
}

/** Sends a log-in from another address of this machine; returns the status. */
export function logInFrom(localAddress: string, url: string, credentials: object): Promise<number | undefined> {
  const body = JSON.stringify(credentials);
  return new Promise((resolve, reject) => {
    const outgoing = request(`${url}/api/v1/auth/login`, {
      method: 'POST',
      localAddress,
      agent: false,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    });
    outgoing.on('error', reject).on('response', (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    });
    outgoing.end(body);
  });
}
