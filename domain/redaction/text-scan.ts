import { NAMED_DETECTORS } from './personal/personal-data.ts';
import type { PersonalSigns } from './personal/personal-data.ts';
import { TAG_HINTS } from './private-text.ts';
import { createScanner } from './scanner.ts';
import { SECRET_RULES } from './secret-rules.ts';

/** Patterns worth trying, from one pass over a text. */
export interface TextSigns {
  readonly tags: boolean;
  readonly privateKeys: boolean;
  /** Marks of an earlier redaction. */
  readonly marks: boolean;
  /** Indexes into `SECRET_RULES`, ascending. */
  readonly rules: readonly number[];
  readonly personal: PersonalSigns;
}

const TAGS = 0;
const KEYS = 1;
const MARKS = 2;
const FIRST_RULE = 3;
const FIRST_NAMED = FIRST_RULE + SECRET_RULES.length;
const DISCORD = SECRET_RULES.findIndex((rule) => rule.kind === 'discord-bot-token');

const scan = createScanner([
  { hints: TAG_HINTS, anyCase: true },
  { hints: ['-----begin'], anyCase: true },
  { hints: ['[redacted:', '[private]'], anyCase: false },
  ...SECRET_RULES.map((rule) => ({ hints: rule.hints, anyCase: rule.pattern.ignoreCase })),
  ...NAMED_DETECTORS.map((named) => ({ hints: named.hints, anyCase: true })),
]);

/** The result for most texts. */
export const NOTHING: TextSigns = {
  tags: false,
  privateKeys: false,
  marks: false,
  rules: [],
  personal: { longNumber: false, ipv4: false, ipv6: false, named: [] },
};

/** Scans a text once, in about two microseconds per kilobyte, for patterns that may match. */
export function scanText(text: string): TextSigns {
  const { groups, longNumber, ipv4, ipv6, sixBetweenDots } = scan(text);
  if (groups.length === 0 && !longNumber && !ipv4 && !ipv6 && !sixBetweenDots) return NOTHING;
  const rules: number[] = [];
  const named: number[] = [];
  for (const group of groups) {
    if (group >= FIRST_NAMED) named.push(group - FIRST_NAMED);
    else if (group >= FIRST_RULE) rules.push(group - FIRST_RULE);
  }
  // The token has no constant text, but its second part has six characters.
  if (sixBetweenDots) rules.push(DISCORD);
  return {
    tags: groups.includes(TAGS),
    privateKeys: groups.includes(KEYS),
    marks: groups.includes(MARKS),
    rules,
    personal: { longNumber, ipv4, ipv6, named },
  };
}
