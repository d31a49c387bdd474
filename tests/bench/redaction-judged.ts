/**
 * What a person judged on the shared sessions: keys of removals that `bench:redaction --review FILE` wrote, each the beginning of the SHA-256
 * of kind and value. True is what its owner would not want to find in a memory; false is what was taken out and is none.
 */
export const JUDGED_TRUE: ReadonlySet<string> = new Set([]);
export const JUDGED_FALSE: ReadonlySet<string> = new Set([
  // A code host's server, as the shell names it when its key is not known yet.
  '177c63525db579c0',
]);
