import { higherClass } from '../../data-classes.ts';
import type { DataClass } from '../../data-classes.ts';
import { BANK_ACCOUNT, PAYMENT_CARD } from './accounts.ts';
import { BIRTH_DATE, EMAIL, IPV4, IPV6, NAMED_PHONE, PHONE } from './contact.ts';
import type { Detector } from './detection.ts';
import { NAMED_NATIONAL_IDS, NATIONAL_IDS } from './national-ids.ts';

const BEFORE_CHARS = 40;

/** Detectors that need a word in the text. */
export const NAMED_DETECTORS: readonly { readonly hints: readonly string[]; readonly detector: Detector }[] = [
  ...NAMED_NATIONAL_IDS,
  { hints: ['phone', 'mobile', '|tel', '|cell', '|fax', 'téléph'], detector: NAMED_PHONE },
  {
    hints: ['|born', 'birth', '|dob', 'geboren', 'geburts', '|née', '|né ', 'nacido', 'nacimiento'],
    detector: BIRTH_DATE,
  },
];

/** Detectors with their own sign of the scanner. */
const NUMBERS: readonly Detector[] = [BANK_ACCOUNT, PAYMENT_CARD, ...NATIONAL_IDS, PHONE];

/** Every detected kind of personal data, with its class. */
export const PERSONAL_KINDS: ReadonlyMap<string, DataClass> = new Map(
  [EMAIL, IPV4, IPV6, ...NUMBERS, ...NAMED_DETECTORS.map((named) => named.detector)].map((entry) => [
    entry.kind,
    entry.dataClass,
  ]),
);

/** Signs of personal data from the scanner. */
export interface PersonalSigns {
  readonly longNumber: boolean;
  readonly ipv4: boolean;
  readonly ipv6: boolean;
  /** Indexes into `NAMED_DETECTORS`. */
  readonly named: readonly number[];
}

/** Returns the detectors worth trying on a text, highest class first. */
export function detectorsFor(text: string, signs: PersonalSigns): Detector[] {
  const detectors: Detector[] = signs.longNumber ? [...NUMBERS] : [];
  for (const at of signs.named) {
    const named = NAMED_DETECTORS[at];
    if (named !== undefined) detectors.unshift(named.detector);
  }
  if (text.includes('@')) detectors.push(EMAIL);
  if (signs.ipv4) detectors.push(IPV4);
  if (signs.ipv6) detectors.push(IPV6);
  return detectors;
}

export interface PersonalFindings {
  readonly text: string;
  readonly dataClass: DataClass;
}

/**
 * Finds personal data: classes to remove become `[redacted:kind]` and are counted in `removed`; the others remain and only determine the
 * row's class, which is `internal` if nothing was found.
 */
export function treatPersonalData(
  text: string,
  detectors: readonly Detector[],
  removeClasses: ReadonlySet<DataClass>,
  removed: Map<string, number>,
): PersonalFindings {
  let clean = text;
  let dataClass: DataClass = 'internal';
  for (const detector of detectors) {
    const removes = removeClasses.has(detector.dataClass);
    if (!removes && higherClass(dataClass, detector.dataClass) === dataClass) continue;
    let output = '';
    let position = 0;
    detector.pattern.lastIndex = 0;
    for (let match = detector.pattern.exec(clean); match !== null; match = detector.pattern.exec(clean)) {
      const value = `${match.groups?.['local'] ?? ''}${match.groups?.['value'] ?? match[0]}`;
      const end = match.index + match[0].length;
      const start = end - value.length;
      if (!detector.accepts(value, clean.slice(Math.max(0, start - BEFORE_CHARS), start))) continue;
      dataClass = higherClass(dataClass, detector.dataClass);
      if (!removes) break;
      output += `${clean.slice(position, start)}[redacted:${detector.kind}]`;
      position = end;
      removed.set(detector.kind, (removed.get(detector.kind) ?? 0) + 1);
    }
    if (position > 0) clean = output + clean.slice(position);
  }
  return { text: clean, dataClass };
}
