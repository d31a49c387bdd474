const ESCAPE = String.fromCodePoint(27);
/** Terminal colour and cursor sequences: ESC [ … letter. */
const ANSI = new RegExp(`${ESCAPE}\\[[\\d;?]*[A-Za-z]`, 'gu');
const EMOJI = /[\p{Extended_Pictographic}\uFE0F\u200D]/gu;

/** Removes terminal escape sequences. */
export function stripAnsi(text: string): string {
  return text.replaceAll(ANSI, '');
}

/** Returns one line of plain prose: without Markdown marks, link targets, emoji, escape sequences and runs of white space. */
export function plainText(markdown: string): string {
  return (
    stripAnsi(markdown)
      .replaceAll(/!?\[([^\]\n]{1,300})\]\([^)\s]{1,500}\)/gu, '$1')
      .replaceAll(/\*\*(?=\S)(.{1,400}?)(?<=\S)\*\*/gsu, '$1')
      // One word between underscores is more often a code name than emphasis.
      .replaceAll(/(?<![\w./])__(?=\S)([^_]{1,200}\s[^_]{1,200})(?<=\S)__(?![\w.(])/gu, '$1')
      .replaceAll(/(?<![\w*])\*(?=\S)([^*\n]{1,400}?)(?<=\S)\*(?![\w*])/gu, '$1')
      .replaceAll(EMOJI, '')
      .replaceAll(/\s+/gu, ' ')
      .trim()
  );
}

/**
 * Truncates a text to at most `characters` UTF-16 units with an ellipsis, at a word in the last third if there is one. Never splits a
 * surrogate pair.
 */
export function shorten(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const limit = Math.max(1, characters - 1);
  const space = text.lastIndexOf(' ', limit);
  let end = space > limit * 0.66 ? space : limit;
  if (/[\uD800-\uDBFF]/u.test(text.charAt(end - 1))) end -= 1;
  return `${text.slice(0, end).replace(/[\s,;:.–-]+$/u, '')}…`;
}

/** Returns the first `characters` units of a text verbatim, for quotes; never half a surrogate pair. */
export function verbatimHead(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const end = /[\uD800-\uDBFF]/u.test(text.charAt(characters - 1)) ? characters - 1 : characters;
  return text.slice(0, end);
}

/** Returns the last `characters` units of a text verbatim; never half a surrogate pair. */
export function verbatimTail(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const start = text.length - characters;
  return text.slice(/[\uDC00-\uDFFF]/u.test(text.charAt(start)) ? start + 1 : start);
}

/** Capitalises the first letter. */
export function capitalised(text: string): string {
  const first = text.codePointAt(0);
  if (first === undefined) return text;
  const letter = String.fromCodePoint(first);
  return letter.toUpperCase() + text.slice(letter.length);
}
