import { z } from 'zod';
import { userParams } from './access.ts';
import { flag } from './query.ts';

/** Log-in by OpenID Connect providers. */

export const providerList = z.object({
  data: z.array(
    z.object({ name: z.string(), label: z.string().describe('Text of a button') }).meta({ id: 'LogInProvider' }),
  ),
});

export const providerParams = z.object({
  name: z
    .string()
    .max(32)
    .regex(/^[a-z0-9][a-z0-9-]*$/, 'must be small letters, digits and dashes')
    .describe('Name of a provider'),
});

const MAX_PATH = 1_024;
export const startQuery = z.strictObject({
  return_to: z
    .string()
    .max(MAX_PATH)
    // No `//` and no backslash, which browsers read as the start of another address.
    .regex(/^\/(?!\/)[!-[\]-~]*$/, 'must be a path of this server, such as /memories')
    .default('/')
    .describe('Path of this server to which the browser goes after the log-in'),
  reauthenticate: flag()
    .prefault(false)
    .describe('true: the provider authenticates the user again, also one who is logged in there'),
});

const parameter = (most: number) => z.string().max(most).optional();
/** Parameters of the provider. Repeated and unknown ones are refused with the log-in. */
export const callbackQuery = z.looseObject({
  code: parameter(4_096),
  state: parameter(256),
  iss: parameter(1_024),
  error: parameter(256),
});

export const identitySchema = z
  .object({
    id: z.string(),
    issuer: z.string().describe('Address of the provider'),
    subject: z.string().describe('Id of the user at the provider'),
    created_at: z.string(),
    last_used_at: z.string().nullable(),
  })
  .meta({ id: 'UserIdentity' });
export type UserIdentity = z.output<typeof identitySchema>;
export const identityParams = userParams.extend({ identity_id: z.uuid() });
export const identityList = z.object({ data: z.array(identitySchema) });
