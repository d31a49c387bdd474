import { allot, type Claimant } from './allotment.ts';
import { marked, type Piece, unmarked } from './marks.ts';

/** A part to show, as far as the budget allows. */
export interface Part extends Omit<Claimant, 'overhead'> {
  readonly label: string;
  readonly when: string;
  /** Returns about this many tokens of it, verbatim. */
  readonly show: (tokens: number) => string;
}

/** Tokens of a mark beside its label: brackets, six digits, two line ends. */
const MARK_TOKENS = 6;
const TOKENS_PER_LABEL_CHARACTER = 0.35;
const ROUNDS = 6;

export interface Laid {
  /** With marks and times: sent to the model. */
  readonly text: string;
  /** Without marks and times: key of the response cache. */
  readonly requestText: string;
  readonly mark: string;
}

/** Lays out the parts within `tokens` (o200k): by estimates first; the resulting text is counted, and shortened again if it is too long. */
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
  // Once, not in each place: the short ids show where rows are missing.
  const leftOut = parts.length - pieces.length;
  if (leftOut > 0) pieces.push({ label: `${String(leftOut)} left out`, when: '', body: '' });
  return { ...marked(pieces), requestText: unmarked(pieces) };
}
