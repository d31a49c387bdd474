import type { Detector } from './detector.ts';

/** Local parts that belong to no person: sending machines, and shell users. */
const NOBODY =
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
  accepts: (value, before) => !NOBODY.test(value) && !NOWHERE.test(value) && !before.endsWith('//'),
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
