import { styleText } from 'node:util';
import { visibleText } from '../../domain/recalled/inert-text.ts';

/** Clears the redrawn line; the only control sequence that commands write. */
export const CLEAR_LINE = '\r\u001b[2K';
/** Control and bidirectional characters except tab and line feed. */
const CONTROL = /(?![\t\n])[\p{Cc}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu;

/** Returns stored text without terminal control characters. */
export function terminalText(text: string): string {
  return visibleText(text);
}

/** Returns command output with remaining control characters as JSON escapes, so that JSON output remains valid. */
export function shownText(text: string): string {
  const cleared = text.startsWith(CLEAR_LINE) ? CLEAR_LINE : '';
  const shown = text
    .slice(cleared.length)
    .replaceAll(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return cleared + shown;
}

/** A hash at the start of a line, or in brackets. */
const HASHES = /(?<=^(?:[> ] )?)[a-z2-7]{8}(?= {2})|(?<=\[)[a-z2-7]{8}(?=\])/gmu;
/** The first line of a table: words in capitals, in columns. */
const TABLE_HEAD = /^[A-Z][A-Z ()-]*(?: {2,}[A-Z][A-Z ()-]*)+$/gmu;

/** Returns output for a terminal with colours: hashes, which other commands take, and the heads of tables stand out. JSON remains unchanged. */
export function colouredText(text: string): string {
  if (/^[[{]/u.test(text)) return text;
  const paint = (format: 'cyan' | 'bold') => (part: string) => styleText(format, part, { validateStream: false });
  return text.replaceAll(HASHES, paint('cyan')).replaceAll(TABLE_HEAD, paint('bold'));
}
