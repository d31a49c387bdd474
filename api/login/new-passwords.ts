import { normalisedPassword, weaknessOf } from '../../domain/passwords.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { invalid } from '../errors.ts';

/** Checks a new password of a user, by the words that others know and the list of breached passwords. @throws ApiError VALIDATION_FAILED */
export async function requireGoodPassword(
  { breachedPasswords }: Pick<ApiDependencies, 'breachedPasswords'>,
  password: string,
  { username, email }: { readonly username: string; readonly email: string | null },
): Promise<void> {
  const weakness = weaknessOf(password, [username, email ?? '']);
  if (weakness !== null) throw invalid('password', weakness);
  if ((await breachedPasswords?.has(normalisedPassword(password))) === true)
    throw invalid('password', 'is in a list of passwords from data breaches, which attackers try: choose another');
}
