/**
 * Version of text composition, chunking and properties of chunks for the vector index. A release that changes them increments it, and every
 * tenant's index is rebuilt beside the old one. Version 2: one text has title, purpose and content, as stems for the keyword index.
 */
export const INDEX_VERSION = 2;

const SEPARATOR = '@';

/** Name of an index: the embedding model, and the version unless it is 1. Part of the collection's name and of every object's id. */
export function indexNameOf(model: string, version: number = INDEX_VERSION): string {
  return version === 1 ? model : `${model}${SEPARATOR}${version}`;
}

/** Returns the embedding model of an index. */
export function modelOfIndex(name: string): string {
  return name.replace(/@\d+$/u, '');
}

/** An embedding model with its index. */
export interface IndexModel {
  /** `indexNameOf` its embedding model. */
  readonly name: string;
  readonly dimension: number;
}

/** The version of an index. */
export function versionOfIndex(name: string): number {
  return Number(/@(\d+)$/u.exec(name)?.[1] ?? 1);
}

/** Returns true if an index has the same model and an older version: an older release must not replace a newer index. */
export function isOlderIndex(name: string, other: string): boolean {
  return modelOfIndex(name) === modelOfIndex(other) && versionOfIndex(name) < versionOfIndex(other);
}
