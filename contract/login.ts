import { z } from 'zod';
import { LOGIN_METHODS } from '../domain/access.ts';

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
