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
