import type { SecretRule } from './rule.ts';
import { scanText } from './text-scan.ts';
import type { TextSigns } from './text-scan.ts';
import { SECRET_RULES } from './secret-rules.ts';

/** A private key's first line, PGP armour included. */
const HEADER = /-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----/g;
const END_MARK = '-----END ';
const FOOTER = /-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----/y;
/** Longest detected key: RSA of 16,384 bits has 13,000 characters. */
const KEY_CHARS = 20_000;
/** Characters of a key without its last line: base64, header fields, line feeds, also escaped. */
const KEY_BODY = /[A-Za-z0-9+/=\\\s:,.-]{0,20000}/y;

/** Returns the end of a key whose header ends at `from`: after its last line, else at the first character that no key contains. */
function keyEnd(text: string, from: number, endMark: number): number {
  if (endMark >= 0 && endMark - from <= KEY_CHARS) {
    FOOTER.lastIndex = endMark;
    if (FOOTER.test(text)) return FOOTER.lastIndex;
  }
  KEY_BODY.lastIndex = from;
  KEY_BODY.test(text);
  return KEY_BODY.lastIndex;
}

/**
 * Replaces every private key, truncated ones included, with `replacement`; returns the text and the number of keys. Linear in the text: the
 * next end mark is searched once, not once per header.
 */
export function removePrivateKeys(
  text: string,
  replacement: string,
): { readonly text: string; readonly removed: number } {
  let output = '';
  let position = 0;
  let removed = 0;
  let endMark = 0;
  for (const header of text.matchAll(HEADER)) {
    if (header.index < position) continue;
    const from = header.index + header[0].length;
    if (endMark >= 0 && endMark < from) endMark = text.indexOf(END_MARK, from);
    output += text.slice(position, header.index) + replacement;
    position = keyEnd(text, from, endMark);
    removed += 1;
  }
  return { text: output + text.slice(position), removed };
}

/** Every kind that is removed by format. */
export const SECRET_KINDS: readonly string[] = [
  ...new Set(['private-key', ...SECRET_RULES.map((rule) => rule.kind), 'secret-field']),
].toSorted();

/** Some word of every secret field name: a cheap test before the pattern. */
const MAY_BE_SECRET = /pass|secret|key|token|author|cookie|credential/i;
/** Names of fields whose value is always a secret, with dashes or underscores. */
const SECRET_FIELD =
  /^(?:.{0,200}[_-])?(?:password|passwd|passphrase|secret|api[_-]?key|access[_-]?token|auth[_-]?token|refresh[_-]?token|session[_-]?token|id[_-]?token|(?:private|encryption|signing|master)[_-]?key|secret[_-]?(?:access[_-]?)?key|client[_-]?secret|authorization|cookie)$/i;

/** Returns true for `password`, `DB_PASSWORD`, `clientSecret`, `x-api-key` and similar. */
export function isSecretField(name: string): boolean {
  return MAY_BE_SECRET.test(name) && SECRET_FIELD.test(name.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, '_'));
}

function applyRule(rule: SecretRule, text: string, removed: Map<string, number>): string {
  const { pattern, kind } = rule;
  let output = '';
  let position = 0;
  let count = 0;
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const secret = match.groups?.['secret'] ?? match[0];
    if (secret.startsWith('[redacted:') || rule.accepts?.(secret) === false) continue;
    // The secret is last; the same text may occur before it, such as a name equal to its password.
    const start = match.index + match[0].lastIndexOf(secret);
    output += `${text.slice(position, start)}[redacted:${kind}]`;
    position = start + secret.length;
    count += 1;
  }
  if (count === 0) return text;
  removed.set(kind, (removed.get(kind) ?? 0) + count);
  return output + text.slice(position);
}

/** Replaces every recognised secret with `[redacted:kind]` and counts it in `removed` by kind. */
export function removeSecrets(text: string, removed: Map<string, number>, signs: TextSigns = scanText(text)): string {
  let clean = text;
  if (signs.privateKeys) {
    const keys = removePrivateKeys(text, '[redacted:private-key]');
    clean = keys.text;
    if (keys.removed > 0) removed.set('private-key', (removed.get('private-key') ?? 0) + keys.removed);
  }
  for (const at of signs.rules) {
    const rule = SECRET_RULES[at];
    if (rule !== undefined) clean = applyRule(rule, clean, removed);
  }
  return clean;
}
