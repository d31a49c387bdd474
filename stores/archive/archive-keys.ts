const KEY = /^(?=.{1,512}$)[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;
const PREFIX = /^(?=.{0,512}$)(?:[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*\/?)?$/;

/** @throws RangeError for an invalid key of an archive store: it could lead out of the folder */
export function checkKey(key: string): void {
  if (!KEY.test(key)) throw new RangeError('an archive key is parts of letters, digits, dots, _ and - joined by /');
}

/** @throws RangeError for what no key begins with */
export function checkPrefix(prefix: string): void {
  if (!PREFIX.test(prefix)) throw new RangeError('an archive prefix is the beginning of a key');
}
