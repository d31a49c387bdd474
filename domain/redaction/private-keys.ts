/** A private key's first line, PGP armour included. */
const HEADER = /-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----/g;
const END_MARK = '-----END ';
const FOOTER = /-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----/y;
/** Longest detected key: RSA of 16,384 bits has 13,000 characters. */
const KEY_CHARS = 20_000;
/** Characters of a key without its last line: base64, header fields, line feeds, also escaped. */
const KEY_BODY = /[A-Za-z0-9+/=\\\s:,.-]{0,20000}/y;

/** Returns the end of a key whose header ends at `from`: after its last line, else at the first character that no key contains. */
function keyEnd(text: string, from: number, endMark: number): number {
  if (endMark >= 0 && endMark - from <= KEY_CHARS) {
    FOOTER.lastIndex = endMark;
    if (FOOTER.test(text)) return FOOTER.lastIndex;
  }
  KEY_BODY.lastIndex = from;
  KEY_BODY.test(text);
  return KEY_BODY.lastIndex;
}

/**
 * Replaces every private key, truncated ones included, with `replacement`; returns the text and the number of keys. Linear in the text: the
 * next end mark is searched once, not once per header.
 */
export function removePrivateKeys(
  text: string,
  replacement: string,
): { readonly text: string; readonly removed: number } {
  let kept = '';
  let position = 0;
  let removed = 0;
  let endMark = 0;
  for (const header of text.matchAll(HEADER)) {
    if (header.index < position) continue;
    const from = header.index + header[0].length;
    if (endMark >= 0 && endMark < from) endMark = text.indexOf(END_MARK, from);
    kept += text.slice(position, header.index) + replacement;
    position = keyEnd(text, from, endMark);
    removed += 1;
  }
  return { text: kept + text.slice(position), removed };
}
