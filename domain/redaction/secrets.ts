import { removePrivateKeys } from './private-keys.ts';

/** A kind of secret that can be told by its look. */
interface SecretRule {
  readonly kind: string;
  /** Some text that every match holds: the cheap question before the pattern is tried. Lower case. */
  readonly hint: string;
  /** Global; a group named `secret` marks the part to take out where the match holds more. */
  readonly pattern: RegExp;
}

/** Formats as their issuers document them. Every quantifier is bounded, so that no input makes a match slow. */
const RULES: readonly SecretRule[] = [
  { kind: 'aws-access-key-id', hint: 'a', pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g },
  {
    kind: 'aws-secret-key',
    hint: 'aws',
    pattern: /aws_?secret_?(?:access_?)?key["']?\s{0,5}[=:]\s{0,5}["']?(?<secret>[A-Za-z0-9/+=]{40})/gi,
  },
  {
    kind: 'github-token',
    hint: 'gh',
    pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{60,255})\b/g,
  },
  { kind: 'gitlab-token', hint: 'glpat-', pattern: /\bglpat-[A-Za-z0-9_-]{20,60}/g },
  { kind: 'anthropic-key', hint: 'sk-ant-', pattern: /\bsk-ant-[A-Za-z0-9_-]{20,200}/g },
  { kind: 'openai-key', hint: 'sk-', pattern: /\bsk-(?!ant-)(?:proj-|svcacct-)?[A-Za-z0-9_-]{32,200}/g },
  { kind: 'slack-token', hint: 'xox', pattern: /\bxox[abeoprs]-[A-Za-z0-9-]{10,200}/g },
  { kind: 'stripe-key', hint: 'k_live_', pattern: /\b[rs]k_live_[A-Za-z0-9]{16,200}\b/g },
  { kind: 'google-api-key', hint: 'aiza', pattern: /\bAIza[A-Za-z0-9_-]{35}/g },
  { kind: 'npm-token', hint: 'npm_', pattern: /\bnpm_[A-Za-z0-9]{36}\b/g },
  { kind: 'recollect-key', hint: 'rcl_', pattern: /\brcl_[A-Za-z0-9_-]{40,60}/g },
  // Begins where a run of its characters begins, not at each `eyJ` inside it: that would read the run again and again.
  {
    kind: 'jwt',
    hint: '.eyj',
    pattern: /(?<![\w-])(?=[\w-]{0,2000}eyJ)[\w-]{13,4000}\.eyJ[\w-]{10,8000}\.[\w-]{10,1000}/g,
  },
  {
    kind: 'url-password',
    hint: '://',
    pattern: /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@]{0,100}:(?<secret>[^\s/@]{3,200})@/gi,
  },
  { kind: 'bearer-token', hint: 'bearer', pattern: /\bbearer\s{1,3}(?<secret>[A-Za-z0-9._~+/=-]{20,2000})/gi },
  {
    kind: 'assigned-secret',
    hint: '',
    pattern:
      /\b[A-Z0-9_]{0,60}(?:PASSWORD|PASSWD|SECRET|API_?KEY|ACCESS_?TOKEN|AUTH_?TOKEN|PRIVATE_?KEY)[A-Z0-9_]{0,30}\s{0,2}[=:]\s{0,2}["']?(?<secret>(?<=")[^"\r\n]{8,500}|(?<=')[^'\r\n]{8,500}|[^\s"'$<>(){}][^\s"'<>(){}]{7,499})/g,
  },
  {
    // The same as a quoted value in JSON, YAML or code, where names are written in any case.
    kind: 'assigned-secret',
    hint: '',
    pattern:
      /(?:password|passwd|secret|api[_-]?key|access[_-]?token|auth[_-]?token|refresh[_-]?token|private[_-]?key)\\?["']?\s{0,2}[=:]\s{0,2}\\?["'](?<secret>(?<=")[^"\r\n]{8,2000}?(?=\\?")|(?<=')[^'\r\n]{8,2000}?(?=\\?'))/gi,
  },
];

/** Names of fields whose value is a secret whatever it looks like, written with dashes or underscores. */
const SECRET_FIELD =
  /^(?:.*[_-])?(?:password|passwd|secret|api[_-]?key|access[_-]?token|auth[_-]?token|refresh[_-]?token|private[_-]?key|client[_-]?secret|authorization)$/i;

/** True for `password`, `DB_PASSWORD`, `clientSecret`, `x-api-key` and their like. */
export function isSecretField(name: string): boolean {
  return SECRET_FIELD.test(name.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, '_'));
}

/** Replaces every secret that is known by its look by `[redacted:kind]`, and adds to `removed` what it took out, by kind. */
export function removeSecrets(text: string, removed: Map<string, number>): string {
  if (text.length < 8) return text;
  const lower = text.toLowerCase();
  let clean = text;
  if (lower.includes('-----begin')) {
    const keys = removePrivateKeys(text, '[redacted:private-key]');
    clean = keys.text;
    if (keys.removed > 0) removed.set('private-key', (removed.get('private-key') ?? 0) + keys.removed);
  }
  for (const rule of RULES) {
    if (!lower.includes(rule.hint)) continue;
    clean = clean.replaceAll(rule.pattern, (...match: unknown[]) => {
      const whole = String(match[0]);
      const groups = match.at(-1);
      const secret =
        typeof groups === 'object' && groups !== null && 'secret' in groups ? String(groups.secret) : whole;
      if (secret.startsWith('[redacted:')) return whole;
      removed.set(rule.kind, (removed.get(rule.kind) ?? 0) + 1);
      // The secret stands last; the same text may stand before it, as a name like its password.
      const at = whole.lastIndexOf(secret);
      return `${whole.slice(0, at)}[redacted:${rule.kind}]${whole.slice(at + secret.length)}`;
    });
  }
  return clean;
}
