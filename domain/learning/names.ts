const CODE = /`([^`\n]{2,80})`/gu;
const FILE =
  /(?<![\w/.-])(?:[\w@.-]+\/)*[\w@-][\w.-]*\.(?:[cm]?[jt]sx?|py|rb|go|rs|java|kt|swift|cc?|cpp|h|cs|php|sql|sh|toml|ya?ml|json|md|html|css|lock|ini|cfg|conf|env|plist|prisma|proto|tf)\b/gu;
const ERROR =
  /\b(?:TS\d{4,5}|E[A-Z]{4,}|[A-Z]\w{2,}(?:Error|Exception)|E\d{4}|P\d{4}|[A-Z]{2,}-\d{2,}|SIG[A-Z]{3,}|HTTP [45]\d\d)\b/gu;
const SETTING = /\b[A-Z][A-Z0-9]*_[A-Z0-9_]{2,}\b/gu;
const IDENTIFIER = /\b(?:[a-z]+[A-Z]\w+|[A-Z][a-z]+[A-Z]\w+|\w+\(\))/gu;
const MAX_NAMES = 40;

/** Returns the error classes and codes in a text, as written. */
export function errorNames(text: string): readonly string[] {
  return [...new Set([...text.matchAll(ERROR)].map(([name]) => name))];
}

/**
 * Returns the names in a text: files by their last part, errors, settings, identifiers and short code, case-folded, at most 40. Texts with
 * a common name have a common subject.
 */
export function namesIn(text: string): ReadonlySet<string> {
  const names = new Set<string>();
  const add = (name: string) => {
    if (names.size < MAX_NAMES) names.add(name.toLowerCase().replace(/\(\)$/u, ''));
  };
  for (const [file] of text.matchAll(FILE)) add(file.slice(file.lastIndexOf('/') + 1));
  for (const pattern of [ERROR, SETTING, IDENTIFIER]) for (const [name] of text.matchAll(pattern)) add(name);
  for (const [, code = ''] of text.matchAll(CODE)) if (!/\s/u.test(code.trim())) add(code.trim());
  return names;
}
