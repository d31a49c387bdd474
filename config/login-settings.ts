import { z } from 'zod';

/** Settings of log-ins. */
export const loginEnvironment = {
  RECOLLECT_LOGIN_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(365)
    .default(30)
    .describe('Days after which a user must log in again'),
  RECOLLECT_LOGIN_IDLE_HOURS: z.coerce
    .number()
    .int()
    .min(1)
    .max(8_760)
    .default(168)
    .describe('Hours without use after which a user must log in again'),
  RECOLLECT_BREACHED_PASSWORDS_FILE: z
    .string()
    .min(1)
    .max(4_096)
    .optional()
    .describe(
      'File with SHA-1 hashes of passwords from data breaches, sorted, one a line, which new passwords must not be; unset: none',
    ),
};

type Environment = z.output<z.ZodObject<typeof loginEnvironment>>;

/** Returns the part of the configuration of these settings. */
export function loginConfig(env: Environment) {
  return {
    login: {
      sessionMs: env.RECOLLECT_LOGIN_DAYS * 86_400_000,
      idleMs: env.RECOLLECT_LOGIN_IDLE_HOURS * 3_600_000,
      /** Null: new passwords are compared with no list. */
      breachedPasswordsFile: env.RECOLLECT_BREACHED_PASSWORDS_FILE ?? null,
    },
  };
}
