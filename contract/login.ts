import { z } from 'zod';
import { LOGIN_METHODS } from '../domain/access.ts';
import { LONGEST_PASSWORD } from '../domain/passwords.ts';
import { newPassword } from './access.ts';
import { line, text } from './text.ts';

/** Log-ins and sessions of users. */

export const tokenAnswer = z
  .object({
    access_token: z.string().describe('For the header Authorization: Bearer'),
    token_type: z.literal('Bearer'),
    expires_in: z.number().int().describe('Seconds'),
    session_id: z.string(),
  })
  .meta({ id: 'AccessToken' });

export const userSession = z
  .object({
    id: z.string(),
    is_current: z.boolean().describe('The session of this request'),
    methods: z.array(z.enum(LOGIN_METHODS)),
    created_at: z.string(),
    last_used_at: z.string().describe('Last refresh'),
    expires_at: z.string(),
    mfa_at: z.string().nullable().describe('Last proof of a second factor'),
    address: z.string().nullable(),
    user_agent: z.string().nullable(),
  })
  .meta({ id: 'UserSession' });
export const userSessionList = z.object({ data: z.array(userSession) });
export const endedSessions = z.object({ ended: z.number().int().describe('Number of sessions') });

const tenant = line(128).optional().describe('Name of the tenant; default: the tenant of the operators');
const anyPassword = text(LONGEST_PASSWORD);

export const loginBody = z.strictObject({
  login: line(254).describe('Username or email address'),
  password: anyPassword,
  tenant,
});

/** The password was right; a second step completes the log-in. */
export const secondStep = z
  .object({
    mfa_token: z.string().describe('For the second step alone: `POST /auth/mfa/verify` or `/auth/mfa/recovery`'),
    expires_in: z.number().int().describe('Seconds'),
  })
  .meta({ id: 'SecondStep' });
export const loginAnswer = z.union([tokenAnswer, secondStep]);

export const passwordBody = z.strictObject({
  current_password: anyPassword.optional().describe('Required unless the account has no password'),
  password: newPassword,
});
export const passwordAnswer = z.object({
  token: tokenAnswer.nullable().describe('Of the new session, if a session made the request'),
});

/** ASCII digits: `\d` of other languages includes digits of other scripts. */
const totpCode = z.string().regex(/^[0-9]{6}$/, 'must be six digits');
const recoveryCode = z
  .string()
  .max(32)
  .regex(/^[A-Za-z2-7]{4}(?:-?[A-Za-z2-7]{4}){3}$/, 'must be a recovery code');
const mfaToken = z.string().min(1).max(2_048);
export const mfaBody = z.strictObject({ mfa_token: mfaToken, code: totpCode });
export const recoveryBody = z.strictObject({ mfa_token: mfaToken, code: recoveryCode });
export const totpSecret = z.object({
  secret: z.string().describe('In base 32; shown once'),
  otpauth_uri: z.string().describe('For a QR code'),
});
export const confirmTotpBody = z.strictObject({ code: totpCode });
export const confirmedTotp = z.object({
  recovery_codes: z.array(z.string()).describe('Each works once, in place of a code; shown once'),
  token: tokenAnswer,
});
export const removedFactors = z.object({ removed: z.boolean() });
export const stepUpBody = z
  .strictObject({
    code: totpCode.optional(),
    recovery_code: recoveryCode.optional(),
    password: anyPassword.optional(),
  })
  .describe('A code or a recovery code; the password of a user without a second factor');
