/**
 * How texts are composed and cut for the vector index. A release that changes it counts this up: every tenant's index is then built anew beside the
 * old one. What was indexed before there was a count is version 1; 2 since one text holds title, purpose and content, as stems for the keyword index.
 */
export const INDEX_VERSION = 2;

const SEPARATOR = '@';

/** Name of an index: the embedding model, and the version where it is not the first. Part of the collection's name and of every object's id. */
export function indexNameOf(model: string, version: number = INDEX_VERSION): string {
  return version === 1 ? model : `${model}${SEPARATOR}${version}`;
}

/** The embedding model that an index is made with. */
export function modelOfIndex(name: string): string {
  return name.replace(/@\d+$/u, '');
}

/** An index of vectors. */
export interface IndexModel {
  /** `indexNameOf` its embedding model. */
  readonly name: string;
  readonly dimension: number;
}

/** The version of an index. */
export function versionOfIndex(name: string): number {
  return Number(/@(\d+)$/u.exec(name)?.[1] ?? 1);
}

/** True where one index is of the same model as another and of a version before it: an older release must not take back what a newer one built. */
export function isOlderIndex(name: string, other: string): boolean {
  return modelOfIndex(name) === modelOfIndex(other) && versionOfIndex(name) < versionOfIndex(other);
}
