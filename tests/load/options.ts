import { parseArgs } from 'node:util';
import { z } from 'zod';

const integer = (from: number, to: number) => {
  const message = `must be an integer from ${from} to ${to}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, message)
    .transform(Number)
    .pipe(z.number().min(from, message).max(to, message));
};

const optionsSchema = z.object({
  minutes: integer(1, 240).prefault('30'),
  /** Live sessions at the same time, at most. */
  sessions: integer(1, 64).prefault('6'),
  /** Of the order and moments of kills, and of what the sessions do. */
  seed: integer(0, 999_999_999).optional(),
});
export type LoadOptions = z.output<typeof optionsSchema>;

/** Returns the options of the command line. @throws Error that names the option, for an unknown or invalid one */
export function loadOptions(words: readonly string[]): LoadOptions {
  const { values } = parseArgs({
    args: [...words],
    options: { minutes: { type: 'string' }, sessions: { type: 'string' }, seed: { type: 'string' } },
  });
  const parsed = optionsSchema.safeParse(values);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`--${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is invalid'}`);
}
