/**
 * Manual review of removals in the shared sessions. Keys are those of `bench:redaction --review FILE`: the beginning of the SHA-256 of kind and
 * value. True: a secret or personal value. False: a false positive.
 */
export const JUDGED_TRUE: ReadonlySet<string> = new Set([]);
export const JUDGED_FALSE: ReadonlySet<string> = new Set([
  // A code host's server in a message about its unknown SSH key.
  '177c63525db579c0',
]);
