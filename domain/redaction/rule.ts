/** A kind of secret with a recognisable format. */
export interface SecretRule {
  readonly kind: string;
  /** Texts of which every match contains one: a leading `|` is the start of a word, `#` a digit, `?` any character (scanner.ts). */
  readonly hints: readonly string[];
  /** Global. A group named `secret` marks the part to remove if the match contains more. Every quantifier is bounded. */
  readonly pattern: RegExp;
  /** Returns false for lookalikes, such as placeholders. */
  readonly accepts?: (secret: string) => boolean;
}

/** A placeholder in the position of the value. */
const PLACEHOLDER_WORD =
  /^\W{0,3}(?:your|example|placeholder|change[-_ ]?me|insert|replace|todo|dummy|redacted|none|null|undefined|true|false|required|optional|readonly|string)(?![a-z])/i;
/** A reference to the value, or a mask. */
const REFERENCE =
  /^(?:(?:process\.env|os\.environ|import\.meta|env|secrets|settings|config|self|this|ctx|context)[.[]|%[({]|\$\{|\$\(|\{\{|\$[A-Z_][A-Z0-9_]{0,80}(?:$|[/:])|0x[0-9a-f]{1,16};?$|\{[\w.]{1,80}\}$|<[^<>]{0,200}>?$|([x*.#_-])\1{3,})/i;
/** The name of a variable or constant in the position of its value. */
const NAME_OF_A_SECRET = /^_{0,2}[A-Z][A-Z0-9]{0,30}(?:_[A-Z0-9]{1,30}){1,10}_{0,2}$/;

/** Lower-case words that name a value ("refresh_token", "app-secret"), or a member access in code. */
const NAMED_IN_CODE =
  /^(?:(?:[a-z]{1,20}[_-]){0,5}(?:token|secret|password|passwd|key|credentials?)(?:[_-][a-z]{1,20}){0,3}|[A-Za-z_$][A-Za-z_$]{0,40}(?:\.[A-Za-z_$]{1,60}){1,8})$/;

/** A message about a secret: a sentence that names it. */
const MESSAGE =
  /^[A-Z][a-z]{1,20} (?:[\w-]{1,30} ){0,6}(?:password|secret|token|key)\b|^(?:Password|Secret|Token|Key) [a-z]/i;

/** Returns false for placeholders, names of variables and references to the value. */
export function isNotPlaceholder(secret: string): boolean {
  if (REFERENCE.test(secret) || NAME_OF_A_SECRET.test(secret) || NAMED_IN_CODE.test(secret)) return false;
  if (/^[A-Z]/.test(secret) && MESSAGE.test(secret)) return false;
  return !PLACEHOLDER_WORD.test(secret) || /\d/.test(secret);
}

/** Returns true for a text with a digit and a letter. */
export function isMixed(secret: string): boolean {
  return /\d/.test(secret) && /[A-Za-z]/.test(secret);
}

/** Returns true for a random-looking value: long, without spaces, of letters and digits, not a path, a sentence or a reference. */
export function isRandom(secret: string): boolean {
  return secret.length >= 16 && isMixed(secret) && isNotPlaceholder(secret) && !/^[./~]|[\s(){}<>]/.test(secret);
}
