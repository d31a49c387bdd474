import { allot, type Claimant } from './allotment.ts';
import { marked, type Piece, unmarked } from './marks.ts';

/** Something to be shown, as much of it as the budget allows. */
export interface Part extends Omit<Claimant, 'overhead'> {
  readonly label: string;
  readonly when: string;
  /** As it stands, about this many tokens of it. */
  readonly show: (tokens: number) => string;
}

/** What a mark costs beside its label: brackets, six digits, two line ends. */
const MARK_TOKENS = 6;
const TOKENS_PER_LABEL_CHARACTER = 0.35;
const ROUNDS = 6;

export interface Laid {
  /** With marks and times: what is sent. */
  readonly text: string;
  /** Without: what answers are kept under. */
  readonly question: string;
  readonly mark: string;
}

/**
 * The parts within `tokens` (o200k) as `countTokens` counts them. Estimates come first; the text that they give is counted, and made
 * again with less where it is too long.
 */
export function layOut(parts: readonly Part[], tokens: number, countTokens: (text: string) => number): Laid {
  let budget = tokens;
  let laid = write(parts, budget);
  for (let round = 0; round < ROUNDS; round += 1) {
    const counted = countTokens(laid.text);
    if (counted <= tokens) break;
    budget = Math.floor(budget * Math.min(0.97, (tokens / counted) * 0.98));
    laid = write(parts, budget);
  }
  return laid;
}

function write(parts: readonly Part[], budget: number): Laid {
  const shares = allot(
    parts.map((part) => ({
      ...part,
      overhead: MARK_TOKENS + Math.ceil(part.label.length * TOKENS_PER_LABEL_CHARACTER),
    })),
    budget,
  );
  const pieces: Piece[] = [];
  for (const [index, { label, when, show }] of parts.entries()) {
    const share = shares[index] ?? null;
    if (share !== null) pieces.push({ label, when, body: show(share) });
  }
  // Once, and not in each place: the short ids tell where rows are missing.
  const leftOut = parts.length - pieces.length;
  if (leftOut > 0) pieces.push({ label: `${String(leftOut)} left out`, when: '', body: '' });
  return { ...marked(pieces), question: unmarked(pieces) };
}
