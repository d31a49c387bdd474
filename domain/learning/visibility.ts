/** Who reads a learning: all users of the tenant, or its owner and admins. */
export const VISIBILITIES = ['shared', 'private'] as const;
export type Visibility = (typeof VISIBILITIES)[number];

/** Key of the tenant's setting: the visibility of new learnings. */
export const VISIBILITY_SETTING = 'learnings.visibility';

/** The visibility of new learnings in a tenant without the setting. */
export const DEFAULT_VISIBILITY: Visibility = 'shared';

/** Returns the owner of learnings with this visibility; null for shared ones, which belong to the tenant. */
export function ownerIdFor(visibility: Visibility, userId: string): string | null {
  return visibility === 'private' ? userId : null;
}

/** Returns the visibility of learnings with this owner, as of {@link ownerIdFor}. */
export function visibilityOf(ownerId: string | null): Visibility {
  return ownerId === null ? 'shared' : 'private';
}
