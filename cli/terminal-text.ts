const ESCAPE = String.fromCodePoint(27);
/** Colour and cursor sequences (ESC [ … letter) and titles (ESC ] … BEL or ESC \). */
const SEQUENCES = new RegExp(
  `${ESCAPE}(?:\\[[\\d;:?<=>]*[ -/]*[@-~]|\\][^\\u0007${ESCAPE}]*(?:\\u0007|${ESCAPE}\\\\)?)`,
  'gu',
);
/** What would move a terminal's cursor or hide text in it; tabs and line feeds are layout. */
const CONTROLS = /(?![\t\n])[\p{Cc}\u200B-\u200F\u2028-\u202E\u2066-\u2069\uFEFF]/gu;

/** Stored text as a terminal may show it: what agents and their tools said must not be able to steer it. */
export function terminalText(text: string): string {
  return text.replaceAll(SEQUENCES, '').replaceAll(CONTROLS, '');
}
