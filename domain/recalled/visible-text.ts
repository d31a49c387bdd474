const ESCAPE = String.fromCodePoint(27);
/** Colour and cursor sequences (ESC [ … letter), and terminal titles and links (ESC ] … BEL or ESC \, at most to the line's end). */
const SEQUENCES = new RegExp(
  `${ESCAPE}(?:\\[[\\d;:?<=>]*[ -/]*[@-~]|\\][^\\u0007\\n${ESCAPE}]*(?:\\u0007|${ESCAPE}\\\\)?)`,
  'gu',
);
const LINE_ENDS = /\r\n?|[\u0085\u2028\u2029]/gu;
/**
 * Control characters except tabs and line feeds, and invisible characters: bidirectional controls, zero-width characters, variation
 * selectors, tag characters. Emoji lose their joiners and Persian its non-joiners, which is better than a text that differs from its look.
 */
const UNSEEN = /(?![\t\n])[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;

/** Removes terminal sequences, control characters and invisible characters. */
export function visibleText(text: string): string {
  return text.replaceAll(SEQUENCES, '').replaceAll(LINE_ENDS, '\n').replaceAll(UNSEEN, '').toWellFormed();
}
