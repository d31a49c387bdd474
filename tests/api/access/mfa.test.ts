import { beforeEach, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { createdKey } from '../../../contract/access.ts';
import { confirmedTotp, secondStep, tokenAnswer, totpSecret } from '../../../contract/login.ts';
import { stepAt, totpCode } from '../../../domain/totp.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { createdIn } from '../support/access.ts';
import { bodyOf, expectError } from '../support/answers.ts';
import { expectEnded, logIn, PASSWORD, withPassword, secretBytes } from '../support/log-in.ts';

const instance = fileInstance();

beforeEach(() => instance.write('DELETE FROM auth_attempts'));

/** A user with an authenticator: the credentials, the codes, and the session that confirmed it. `codeIn(1)`: the code of the next time step. */
async function withTotp(role: 'user' | 'admin' = 'user') {
  const user = await instance.user({ role });
  const credentials = await withPassword(instance, user);
  const { access_token: token } = await logIn(instance, credentials);
  const { secret, otpauth_uri: uri } = createdIn(totpSecret, await instance.post('/auth/mfa/totp', undefined, token));
  expect(uri).toContain(`secret=${secret}&issuer=Recollect`);
  const bytes = secretBytes(secret);
  const codeIn = (steps: number) => totpCode(bytes, stepAt(Date.now()) + steps);
  const confirmed = await instance.post('/auth/mfa/totp/confirm', { code: codeIn(0) }, token);
  // As if that was the code of the step before, which a step that ends meanwhile would make too old: that of the current step is unused.
  await instance.write('UPDATE mfa_totp SET last_step = last_step - 1 WHERE user_id = $1', [user.userId]);
  return { ...user, credentials, codeIn, old: token, confirmed: bodyOf(confirmedTotp, confirmed) };
}

const firstStep = async (credentials: object): Promise<z.output<typeof secondStep>> =>
  bodyOf(secondStep, await instance.post('/auth/login', credentials, null));
const verify = (mfaToken: string, code: string) =>
  instance.post('/auth/mfa/verify', { mfa_token: mfaToken, code }, null);

describe('an authenticator', () => {
  test('is required at the next log-in; one code 20 times at once works once, and older ones no more', async () => {
    const { credentials, codeIn, userId } = await withTotp();
    const { mfa_token: token } = await firstStep(credentials);
    // Beyond five attempts the account would be locked: the step alone decides.
    const forget = () => instance.write('UPDATE auth_attempts SET failures = 0, locked_until = now()');
    const [older, code] = [codeIn(-1), codeIn(0)];
    const statuses: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const answers = await Promise.all(Array.from({ length: 4 }, () => verify(token, code)));
      statuses.push(...answers.map(({ status }) => status));
      await forget();
    }
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expectError(await verify(token, older), 'INVALID_CREDENTIALS');
    expect(bodyOf(tokenAnswer, await verify(token, codeIn(1)))).toMatchObject({ token_type: 'Bearer' });
    const recorded = await instance.rows(
      "SELECT DISTINCT status, actor_id FROM audit_log WHERE action = 'POST /auth/mfa/verify' AND $1 IN (actor_id::text, subject_id) ORDER BY 1",
      [userId],
    );
    expect(recorded).toEqual([
      { status: 200, actor_id: userId },
      { status: 401, actor_id: null },
    ]);
  });

  test('accepts six ASCII digits only, and its attempts lock the account', async () => {
    const { credentials, codeIn } = await withTotp();
    const { mfa_token: token } = await firstStep(credentials);
    for (const code of ['１２３４５６', '٣٤٥٦٧٨', '12345', '1234567', '12 345', ' 123456'])
      expectError(await verify(token, code), 'VALIDATION_FAILED', 'code');
    const wrong = codeIn(9);
    const statuses: number[] = [];
    for (let n = 0; n < 6; n += 1) statuses.push((await verify(token, wrong)).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    expectError(await verify(token, codeIn(0)), 'RATE_LIMITED');
  });

  test('completes a log-in close to the limits of attempts, and counts none of its steps', async () => {
    const { credentials, confirmed } = await withTotp();
    await instance.write('DELETE FROM auth_attempts');
    await instance.post('/auth/login', { ...credentials, password: 'wrong' }, null);
    await instance.write(
      "UPDATE auth_attempts SET failures = CASE split_part(bucket, ':', 1) WHEN 'pair' THEN 4 WHEN 'account' THEN 9 ELSE 25 END",
    );
    for (const code of confirmed.recovery_codes.slice(0, 2)) {
      const { mfa_token: token } = await firstStep(credentials);
      expect((await instance.post('/auth/mfa/recovery', { mfa_token: token, code }, null)).status).toBe(200);
    }
    const left = await instance.rows(
      "SELECT split_part(bucket, ':', 1) AS kind, sum(failures)::int AS failures FROM auth_attempts WHERE bucket NOT LIKE 'known:%' GROUP BY 1 ORDER BY 1",
    );
    expect(left).toEqual([
      { kind: 'account', failures: 9 },
      { kind: 'address', failures: 25 },
      { kind: 'pair', failures: 0 },
    ]);
  });

  test('is not opened by the token of the second step, which opens nothing else', async () => {
    const { credentials } = await withTotp();
    const { mfa_token: token } = await firstStep(credentials);
    for (const path of ['/auth/me', '/auth/sessions', '/sessions'])
      expectError(await instance.get(path, token), 'INVALID_TOKEN');
    expectError(await instance.post('/auth/step-up', { code: '123456' }, token), 'INVALID_TOKEN');
    const { access_token: access } = await logIn(instance, await withPassword(instance, await instance.user()));
    expectError(await verify(access, '123456'), 'INVALID_TOKEN');
  });

  test('changes the session that confirms it, and a recovery code replaces a code once', async () => {
    const { credentials, old, confirmed } = await withTotp();
    await expectEnded(instance, old);
    expect((await instance.get('/auth/me', confirmed.token.access_token)).status).toBe(200);
    expect(confirmed.recovery_codes).toHaveLength(10);
    const [code = ''] = confirmed.recovery_codes;
    expect(code).toMatch(/^[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}$/);
    const { mfa_token: token } = await firstStep(credentials);
    const recover = () => instance.post('/auth/mfa/recovery', { mfa_token: token, code: code.toLowerCase() }, null);
    expect((await recover()).status).toBe(200);
    expectError(await recover(), 'INVALID_CREDENTIALS');
  });

  test('is sealed in the database, and an admin removes it with the sessions of the user', async () => {
    const { userId, credentials, confirmed } = await withTotp();
    const { access_token: token } = confirmed.token;
    const [row] = await instance.rows<{ sealed: Buffer }>(
      'SELECT sealed_secret AS sealed FROM mfa_totp WHERE user_id = $1',
      [userId],
    );
    expect(row?.sealed.subarray(0, 6).toString('latin1')).toBe('\u0001\u0004test');
    expect((await instance.delete(`/admin/users/${userId}/mfa`)).body).toEqual({ removed: true });
    await expectEnded(instance, token);
    await logIn(instance, credentials);
  });
});

describe('a recent proof', () => {
  const later = (userId: string) =>
    instance.write(
      "UPDATE user_sessions SET authenticated_at = now() - interval '6 minutes', mfa_at = mfa_at - interval '6 minutes' WHERE user_id = $1",
      [userId],
    );
  const wish = { name: 'made', scopes: ['read'] };

  test('of the second factor is required of sessions for keys, factors and erasure, not of keys', async () => {
    const { userId, key, codeIn, confirmed } = await withTotp('admin');
    const { access_token: token } = confirmed.token;
    createdIn(createdKey, await instance.post('/admin/api-keys', wish, token));
    await later(userId);
    await expect.poll(async () => (await instance.post('/admin/api-keys', wish, token)).status).toBe(403);
    for (const [method, path, body] of [
      ['POST', '/admin/api-keys', wish],
      ['POST', '/gdpr/erase', { kind: 'text', text: 'walrus', dry_run: true }],
      ['POST', `/admin/users/${userId}/transfer`, { to: userId }],
      ['DELETE', '/auth/mfa/totp', undefined],
      ['DELETE', `/admin/users/${userId}/mfa`, undefined],
    ] as const)
      expectError(await instance.call(method, path, { key: token, body }), 'STEP_UP_REQUIRED');
    createdIn(createdKey, await instance.post('/admin/api-keys', wish, key));
    expectError(await instance.post('/auth/step-up', { password: PASSWORD }, token), 'VALIDATION_FAILED', 'code');
    const stepped = bodyOf(tokenAnswer, await instance.post('/auth/step-up', { code: codeIn(0) }, token));
    await expectEnded(instance, token);
    createdIn(createdKey, await instance.post('/admin/api-keys', wish, stepped.access_token));
    expect((await instance.delete('/auth/mfa/totp', stepped.access_token)).body).toEqual({ removed: true });
  });

  test('of a user without a second factor is the password', async () => {
    const user = await instance.user({ role: 'admin' });
    const { access_token: token } = await logIn(instance, await withPassword(instance, user));
    await later(user.userId);
    // The principal is read again after the change.
    await expect.poll(async () => (await instance.post('/admin/api-keys', wish, token)).status).toBe(403);
    expectError(await instance.post('/auth/step-up', { password: 'wrong' }, token), 'INVALID_CREDENTIALS');
    const stepped = bodyOf(tokenAnswer, await instance.post('/auth/step-up', { password: PASSWORD }, token));
    createdIn(createdKey, await instance.post('/admin/api-keys', wish, stepped.access_token));
  });
});
