import { z } from 'zod';
import { SCOPES } from '../domain/access.ts';
import { flag } from './query.ts';
import { pageQuery } from './shared.ts';
import { text } from './text.ts';

/** Grants: what users allowed OAuth clients to do. */

export const grantSchema = z
  .object({
    id: z.string(),
    user_id: z.string(),
    username: z.string(),
    client_id: z.string(),
    client_name: z.string().nullable().describe('As the client calls itself'),
    client_host: z.string().describe('Host that publishes the client, or to which it returns'),
    scopes: z.array(z.enum(SCOPES)),
    created_at: z.string(),
    last_used_at: z.string().nullable().describe('Recorded once an hour'),
    expires_at: z.string(),
    ended_at: z.string().nullable(),
    end_reason: z
      .string()
      .nullable()
      .describe('`revoked` by a user, `client`: by the client, `reuse`: a used code or token came again'),
  })
  .meta({ id: 'Grant' });
export type Grant = z.output<typeof grantSchema>;

export const grantQuery = z.strictObject({
  ...pageQuery,
  user: text(256).optional().describe('Id or username; for admins'),
  all: flag().prefault(false).describe('Grants of all users of the tenant; for admins'),
  ended: flag().prefault(false).describe('Include ended and expired grants'),
});
