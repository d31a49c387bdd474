const NAME = /^(?:[a-z2-7]{8}|[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12})$/i;

/** True for what may be the hash or the id of a memory; a word of eight letters may be one, too. */
export function isMemoryName(text: string): boolean {
  return NAME.test(text);
}
