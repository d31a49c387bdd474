import type { Detector } from './detection.ts';

/** Local parts that belong to no person: sending machines, and shell users. */
const NO_PERSON =
  /^(?:no-?reply|do-?not-?reply|git|root|hg|svn|admin@localhost)(?:@|\+)|^\d{1,12}\+[\w-]{1,60}@users\.noreply\.|@(?:[\w-]{1,60}\.){0,3}noreply\./i;
/** Reserved example domains (RFC 2606), network machines, and file extensions. */
const NOWHERE =
  /@(?:[\w-]{1,60}\.){0,4}(?:example\.(?:com|org|net|edu)|[\w-]{1,60}\.(?:example|test|invalid|local|localhost|internal|lan|png|jpe?g|gif|svg|webp|css|js|ts|tsx|json|md|txt|html|py|rs|go|sh|yml|yaml|service|target|timer|socket|mount))$/i;

/** Email addresses of people; excludes machines, examples and the commit addresses of hosts. */
export const EMAIL: Detector = {
  kind: 'email',
  dataClass: 'sensitive',
  pattern:
    /@(?<=(?<local>(?<![\w.%+-])[A-Za-z0-9][\w.%+-]{0,63})@)(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}(?![\w-]|\.\w)/g,
  accepts: (value, before) => !NO_PERSON.test(value) && !NOWHERE.test(value) && !before.endsWith('//'),
};

const digitsIn = (text: string) => text.replaceAll(/\D/g, '').length;
/** North American numbers reserved for fiction. */
const FICTIONAL = /555\D{0,2}01\d\d$/;

/** International numbers by E.164, and North American ones with separators. */
export const PHONE: Detector = {
  kind: 'phone',
  dataClass: 'sensitive',
  pattern:
    /(?<![\w.+/)\]-])(?:\+[1-9]\d{0,2}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){2,4}|(?:\([2-9]\d\d\) ?|[2-9]\d\d[.-])[2-9]\d\d[.-]\d{4})(?![\w-]|\.\d)/g,
  accepts: (value, before) => {
    const digits = digitsIn(value);
    if (digits < 9 || digits > 15 || FICTIONAL.test(value)) return false;
    if (!value.startsWith('+') || /[ .()-]/.test(value)) return true;
    // Without separators at the start of a line it is a diff's plus before a number.
    return digits >= 10 && before !== '' && !before.endsWith('\n');
  },
};

/** A number with a label, in any national form. */
export const NAMED_PHONE: Detector = {
  kind: 'phone',
  dataClass: 'sensitive',
  pattern:
    /(?<![A-Za-z])(?:phone|telephone|tel|mobile|cell|fax|telefon|téléphone)(?: ?(?:number|no|nr))?[.:"'= \\]{1,8}(?<value>[+(]?\d[\d ./()-]{6,20}\d)(?![\w-])/gi,
  accepts: (value) => digitsIn(value) >= 7 && digitsIn(value) <= 15 && !FICTIONAL.test(value),
};

const DATE = String.raw`(?:19|20)\d\d-\d{1,2}-\d{1,2}|\d{1,2}[./-]\d{1,2}[./-](?:(?:19|20)\d\d|\d\d)|\d{1,2}\.? [a-zäéû]{3,10}\.? (?:19|20)\d\d|[a-z]{3,10}\.? \d{1,2}(?:st|nd|rd|th)?,? (?:19|20)\d\d`;

/** A date with a label of a birthday. */
export const BIRTH_DATE: Detector = {
  kind: 'birth-date',
  dataClass: 'sensitive',
  pattern: new RegExp(
    `(?<![A-Za-z])(?:born|birth_?date|birth_?day|date[ _]of[ _]birth|dob|geboren|geburtsdatum|né(?:e)? le|nacido|nacimiento)(?![A-Za-z])[ :="'a-z()\\\\-]{1,16}?(?<![\\w-])(?<value>${DATE})(?![\\w-])`,
    'gi',
  ),
  accepts: () => true,
};

/** Text before four numbers that are a version. */
const VERSION =
  /(?:version|versions?|ver|release|build|assembly|chrome|chromium|firefox|safari|opr|edg)\\?["']?[\s:=/@v"'(]{0,4}$/i;
/** Addresses of public resolvers identify no user's machine. */
const PUBLIC_RESOLVERS = new Set(['1.1.1.1', '1.0.0.1', '8.8.8.8', '8.8.4.4', '9.9.9.9', '149.112.112.112']);

/** True for an address of the public internet, by the registry of special addresses (RFC 6890 and its followers). */
function isPublic4(parts: readonly number[]): boolean {
  const [a = 0, b = 0, c = 0] = parts;
  if (a === 0 || a === 10 || a === 127 || a >= 224) return false;
  if (a === 100 && b >= 64 && b < 128) return false;
  if (a === 169 && b === 254) return false;
  if (a === 172 && b >= 16 && b < 32) return false;
  if (a === 192 && (b === 168 || (b === 0 && (c === 0 || c === 2)) || (b === 88 && c === 99))) return false;
  if (a === 198 && (b === 18 || b === 19 || (b === 51 && c === 100))) return false;
  return !(a === 203 && b === 0 && c === 113);
}

/** Public addresses of machines; excludes private, local and documentation addresses, versions and public resolvers. */
export const IPV4: Detector = {
  kind: 'ip-address',
  dataClass: 'sensitive',
  pattern: /(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)/g,
  accepts: (value, before) => {
    const written = value.split('.');
    const parts = written.map(Number);
    if (parts.some((part, at) => part > 255 || (written[at] ?? '').length !== String(part).length)) return false;
    // Four small numbers are far more often a version than an address.
    return !PUBLIC_RESOLVERS.has(value) && isPublic4(parts) && parts.some((part) => part > 20) && !VERSION.test(before);
  },
};

/** True for eight groups, or fewer with one gap of zeros. */
function isAddress6(value: string): boolean {
  const halves = value.split('::');
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  if (groups.some((group) => group.length === 0 || group.length > 4)) return false;
  return halves.length === 1 ? groups.length === 8 : halves.length === 2 && groups.length < 8;
}

/** Globally routed addresses (2000::/3) except the documentation prefix. */
export const IPV6: Detector = {
  kind: 'ip-address',
  dataClass: 'sensitive',
  pattern: /(?<![\w:.-])[23][0-9a-f]{3}:[0-9a-f:]{4,34}(?![\w:.-])/gi,
  accepts: (value) => isAddress6(value) && !/^(?:2001:0?db8:|3fff:)/i.test(value),
};
