const ESCAPE = String.fromCodePoint(27);
/** Colour and cursor sequences (ESC [ … letter), and titles and links of terminals (ESC ] … BEL or ESC \, at most to the line's end). */
const SEQUENCES = new RegExp(
  `${ESCAPE}(?:\\[[\\d;:?<=>]*[ -/]*[@-~]|\\][^\\u0007\\n${ESCAPE}]*(?:\\u0007|${ESCAPE}\\\\)?)`,
  'gu',
);
const LINE_ENDS = /\r\n?|[\u0085\u2028\u2029]/gu;
/**
 * Control characters but tabs and line feeds, and what nobody sees: bidirectional controls, zero-width characters, variation selectors,
 * tag characters. Emoji lose their joiners and Persian its non-joiners, which costs less than a text that reads otherwise than it looks.
 */
const UNSEEN = /(?![\t\n])[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;

/** The text as a person sees it: without sequences that steer a terminal, control characters, and characters without a look. */
export function visibleText(text: string): string {
  return text.replaceAll(SEQUENCES, '').replaceAll(LINE_ENDS, '\n').replaceAll(UNSEEN, '').toWellFormed();
}
