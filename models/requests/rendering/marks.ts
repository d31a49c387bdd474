import { createHash } from 'node:crypto';

/** Short ids in order of first use: a UUID costs some twenty tokens, "R12" two. */
export class ShortIds {
  readonly #letter: string;
  readonly #short = new Map<string, string>();
  readonly #ids = new Map<string, string>();

  constructor(letter: 'R' | 'K') {
    this.#letter = letter;
  }

  shortOf(id: string): string {
    const given = this.#short.get(id);
    if (given !== undefined) return given;
    const short = `${this.#letter}${String(this.#short.size + 1)}`;
    this.#short.set(id, short);
    this.#ids.set(short, id);
    return short;
  }

  /** Returns the id of a short one, with or without brackets; null for an unknown one. */
  idOf(short: string): string | null {
    return this.#ids.get(short.trim().replaceAll(/^\[|\]$/gu, '')) ?? null;
  }
}

/** One marked run of text. */
export interface Piece {
  readonly label: string;
  /** Time since the row before, or empty. */
  readonly when: string;
  readonly body: string;
}

const MARK_DIGITS = 6;

/** Joins the pieces without marks and times: equal for equal rows of any session. */
export function unmarked(pieces: readonly Piece[]): string {
  return lines(
    pieces.map((piece) => ({ ...piece, when: '' })),
    '',
  );
}

/**
 * Joins the pieces with a mark before each: six digits, two tokens. The mark is a digest of the text and changes while the text contains
 * it, so that no prompt or file can contain it in advance. Deterministic.
 */
export function marked(pieces: readonly Piece[]): { readonly text: string; readonly mark: string } {
  const text = unmarked(pieces);
  let mark: string;
  let attempt = 0;
  do {
    const digest = createHash('sha256')
      .update(`${String(attempt)}\n${text}`)
      .digest();
    mark = String(digest.readUInt32BE(0) % 10 ** MARK_DIGITS).padStart(MARK_DIGITS, '0');
    attempt += 1;
  } while (text.includes(mark));
  return { text: lines(pieces, mark), mark };
}

function lines(pieces: readonly Piece[], mark: string): string {
  const blocks = pieces.map(({ label, when, body }) => {
    const head = `[${[mark, label, when].filter((part) => part !== '').join(' ')}]`;
    return body === '' ? head : `${head}\n${body}`;
  });
  return [...blocks, `[${[mark, 'end'].filter((part) => part !== '').join(' ')}]`].join('\n');
}

/** Reduces an external tool name to one short word that cannot imitate the end of a mark. */
export function oneWord(tool: string): string {
  return tool.replaceAll(/[^\p{L}\p{N}_.:-]/gu, '').slice(0, 60);
}
