/** Longest slice in UTF-16 units that the pattern runs over: limits the regular expression's backtracking and the merger's arrays. */
const SLICE_UNITS = 65_536;

const isWhiteSpace = (unit: number): boolean => /\s/u.test(String.fromCharCode(unit));
export const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;

/** Returns true where no token can cross: before a space after a visible character, and after a line feed before anything but white space or a slash. */
function isTokenBoundary(text: string, at: number): boolean {
  const before = text.charCodeAt(at - 1);
  const after = text.charCodeAt(at);
  if (after === 0x20) return !isWhiteSpace(before);
  return before === 0x0a && after !== 0x2f && !isWhiteSpace(after);
}

/**
 * Returns the end of the slice that starts at `start`: a token boundary in its second half, or the limit in a run without one (minified code,
 * base64, one repeated letter). Only the latter can raise the count, by a few tokens in 65,536 characters.
 */
function endOfSlice(text: string, start: number): number {
  const limit = start + SLICE_UNITS;
  if (limit >= text.length) return text.length;
  for (let at = limit; at > start + SLICE_UNITS / 2; at -= 1) if (isTokenBoundary(text, at)) return at;
  return isHighSurrogate(text.charCodeAt(limit - 1)) ? limit - 1 : limit;
}

/** Calls `visit` with the bounds of each piece in order, until it returns false. */
export function forEachPiece(text: string, pattern: RegExp, visit: (start: number, end: number) => boolean): void {
  for (let from = 0; from < text.length;) {
    const to = endOfSlice(text, from);
    const whole = from === 0 && to === text.length;
    const slice = whole ? text : text.slice(from, to);
    for (let start = 0; start < slice.length;) {
      pattern.lastIndex = start;
      // Every character matches one of the alternatives, so a miss cannot happen; a step of one unit would terminate even then.
      const end = pattern.test(slice) ? pattern.lastIndex : start + 1;
      if (!visit(from + start, from + end)) return;
      start = end;
    }
    from = to;
  }
}

/** Writes `text[start..end)`, which must be well formed, as UTF-8 into `bytes`; returns the number of bytes (≤ 3 per unit). */
export function writeUtf8(text: string, start: number, end: number, bytes: Uint8Array): number {
  let at = 0;
  for (let i = start; i < end; i += 1) {
    const code = text.codePointAt(i) ?? 0;
    if (code < 0x80) {
      bytes[at++] = code;
    } else if (code < 0x800) {
      bytes[at++] = 0xc0 | (code >> 6);
      bytes[at++] = 0x80 | (code & 0x3f);
    } else if (code < 0x1_0000) {
      bytes[at++] = 0xe0 | (code >> 12);
      bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
      bytes[at++] = 0x80 | (code & 0x3f);
    } else {
      bytes[at++] = 0xf0 | (code >> 18);
      bytes[at++] = 0x80 | ((code >> 12) & 0x3f);
      bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
      bytes[at++] = 0x80 | (code & 0x3f);
      i += 1;
    }
  }
  return at;
}
