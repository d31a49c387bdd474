import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { removeSecrets, SECRET_KINDS } from '../../../domain/redaction/secrets.ts';
import { PLATFORM_SAMPLES } from './samples-platforms.ts';
import { SERVICE_SAMPLES } from './samples-services.ts';
import { SECRET_RULES } from '../../../domain/redaction/secret-rules.ts';

const SAMPLES = [...PLATFORM_SAMPLES, ...SERVICE_SAMPLES];
const SURROUNDINGS = [
  ['alone', '', ''],
  ['in prose', 'please use ', ' for it'],
  ['in JSON', '{"a":"', '"}'],
  ['between line feeds', 'x\n', '\ny'],
] as const;

function redact(text: string): { readonly text: string; readonly counts: Record<string, number> } {
  const removed = new Map<string, number>();
  return { text: removeSecrets(text, removed), counts: Object.fromEntries(removed) };
}

describe.each(SAMPLES)('$kind', ({ kind, yes, no }) => {
  it.each(yes)('is found (%#), completely, and nothing else', ({ before = '', secret, after = '' }) => {
    for (const [where, left, right] of SURROUNDINGS) {
      if (before !== '' && where !== 'alone' && where !== 'between line feeds') continue;
      const marked = `${left}${before}[redacted:${kind}]${after}${right}`;
      expect(redact(`${left}${before}${secret}${after}${right}`)).toEqual({ text: marked, counts: { [kind]: 1 } });
      expect(redact(marked)).toEqual({ text: marked, counts: {} });
    }
  });

  it.each(no)('is not %j', (text) => {
    expect(redact(text).counts[kind]).toBeUndefined();
    expect(redact(`a ${text} b`).counts[kind]).toBeUndefined();
  });
});

describe('the table of kinds', () => {
  it('has at least a hundred, each with samples for and against', () => {
    const kinds = SECRET_KINDS.filter((kind) => kind !== 'secret-field');
    expect(kinds.length).toBeGreaterThanOrEqual(100);
    expect(SAMPLES.map((sample) => sample.kind).toSorted()).toEqual(kinds);
    for (const { yes, no } of SAMPLES) {
      expect(yes.length).toBeGreaterThan(0);
      expect(no.length).toBeGreaterThan(0);
    }
  });

  it('has a sample for every rule, not for every kind alone', () => {
    const texts = SAMPLES.flatMap(({ yes }) =>
      yes.map(({ before = '', secret, after = '' }) => `${before}${secret}${after}`),
    );
    for (const { kind, pattern } of SECRET_RULES) {
      const hit = texts.some((text) => text.search(pattern) >= 0);
      expect({ kind, pattern: pattern.source, hit }).toEqual({ kind, pattern: pattern.source, hit: true });
    }
  });

  it('matches the documentation page exactly', () => {
    const page = readFileSync(new URL('../../../docs/redaction.md', import.meta.url), 'utf8');
    const [, table = ''] = page.split('\n## Secrets\n');
    const rows =
      table
        .split('\n## ')[0]
        ?.split('\n')
        .filter((line) => line.startsWith('| '))
        .slice(2) ?? [];
    const named = rows.flatMap((row) =>
      (row.split('|')[2] ?? '')
        .replaceAll(/\([^)]*\)/g, '')
        .split(',')
        .map((kind) => kind.trim()),
    );
    expect(named.toSorted()).toEqual(SECRET_KINDS);
  });

  it('has no quantifier without a bound', () => {
    for (const { kind, pattern } of SECRET_RULES) {
      const outsideClasses = pattern.source.replaceAll(/\\./g, '').replaceAll(/\[[^\]]*\]/g, '');
      expect({ kind, unbounded: /[*+]|\{\d+,\}/.test(outsideClasses) }).toEqual({ kind, unbounded: false });
      expect(pattern.global).toBe(true);
    }
  });
});
