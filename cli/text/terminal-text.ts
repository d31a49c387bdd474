import { visibleText } from '../../domain/recalled/visible-text.ts';

/** Erases the line that progress redraws. It is the one sequence that a command itself writes. */
export const CLEAR_LINE = '\r\u001b[2K';
/** What would steer a terminal or turn the direction of its text; tabs and line feeds are layout. */
const STEERING = /(?![\t\n])[\p{Cc}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu;

/** Stored text as a terminal may show it: what agents and their tools said must not be able to steer it. */
export function terminalText(text: string): string {
  return visibleText(text);
}

/** All that a command writes: what still could steer the terminal is shown as JSON writes it, so that answers for programs stay true. */
export function shownText(text: string): string {
  const cleared = text.startsWith(CLEAR_LINE) ? CLEAR_LINE : '';
  const shown = text
    .slice(cleared.length)
    .replaceAll(STEERING, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return cleared + shown;
}
