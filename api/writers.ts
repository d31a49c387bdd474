import type { KeyHolder } from '../stores/postgres/api-keys.ts';
import { ApiError } from './errors.ts';

/** Whoever asks, unless his role may only look. @throws ApiError FORBIDDEN for a viewer, whatever scopes his key has */
export function refuseViewers(holder: KeyHolder): KeyHolder {
  if (holder.role === 'viewer') throw new ApiError('FORBIDDEN', 'a viewer may look and change nothing');
  return holder;
}
