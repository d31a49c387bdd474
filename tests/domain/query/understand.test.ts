import { describe, expect, test } from 'vitest';
import { NO_FIELDS } from '../../../domain/query/fields.ts';
import { understand } from '../../../domain/query/understand.ts';

const NOW = new Date('2026-05-13T10:30:00Z');
const of = (query: string) => understand(query, NOW);

describe('phrases', () => {
  test('in any double quotes must hold, and their words are still compared', () => {
    const { text, phrases } = of('why "Host  key" failed “主机 密钥” 「再試行」');
    expect(phrases).toEqual(['host key', '主机 密钥', '再試行']);
    expect(text).toBe('why Host  key failed 主机 密钥 再試行');
  });

  test('nothing within one is a field or a time', () => {
    expect(of('"set kind:Deployment last week"')).toMatchObject({
      phrases: ['set kind:deployment last week'],
      fields: NO_FIELDS,
      time: null,
    });
  });

  test('an open quote, an empty one and marks alone are words', () => {
    expect(of('the 5" screen').phrases).toEqual([]);
    expect(of('"" "?!"')).toMatchObject({ phrases: [], text: '"" "?!"' });
    expect(of('\uFFFC "a" \uFFFC')).toMatchObject({ phrases: ['a'], text: 'a' });
    expect(of('"a" "b" "c" "d" "e" "f" "a"').phrases).toHaveLength(5);
  });
});

describe('fields', () => {
  test('each known one is taken out of the words', () => {
    const { text, fields } = of(
      'host key type:prompt,observation kind:error tool:Bash project:"My App" tag:ssh tags:git,ci file:src/a.ts error',
    );
    expect(text).toBe('host key error');
    expect(fields).toMatchObject({
      types: ['prompt', 'observation'],
      values: { kind: 'error', tool: 'Bash' },
      project: 'My App',
      tags: ['ssh', 'git', 'ci'],
      files: ['src/a.ts'],
    });
  });

  test.each([
    ['since:2026-05-02', '2026-05-02', null],
    ['after:2026-05-02', '2026-05-03', null],
    ['before:2026-05-02', null, '2026-05-02'],
    ['until:2026-05-02', null, '2026-05-03'],
    ['since:last-week before:yesterday', '2026-05-04', '2026-05-12'],
    ['since:"2 May 2025"', '2025-05-02', null],
    ['until:May', null, '2026-06-01'],
    ['since:2024', '2024-01-01', null],
    ['since:上周', '2026-05-04', null],
    ['since：昨天', '2026-05-12', null],
  ])('%s', (query, since, until) => {
    const { fields, text, time } = of(query);
    const day = (at: Date | null) => at?.toISOString().slice(0, 10) ?? null;
    expect([day(fields.since), day(fields.until)]).toEqual([since, until]);
    expect({ text, time }).toEqual({ text: '', time: null });
  });

  test('an instant bounds to the millisecond', () => {
    const { since } = of('after:2026-05-02T10:00:00.5+02:00').fields;
    expect(since?.toISOString()).toBe('2026-05-02T08:00:00.501Z');
    expect(of('before:2026-05-02T10:00:00Z').fields.until?.toISOString()).toBe('2026-05-02T10:00:00.000Z');
  });

  test.each([
    'http://localhost:3000/a',
    'foo:bar',
    'type:cat',
    'since:forever',
    'since:99-99',
    'tag:,',
    'x(type:prompt)x',
    'error: kind: none',
    `tag:${'x'.repeat(65)}`,
  ])('leaves an invalid field as a word: %s', (query) => expect(of(query).text).toBe(query));
});

describe('intent of a query', () => {
  test('time, the newest, names and language', () => {
    expect(of('what did we do yesterday')).toMatchObject({ timeAlone: true, newest: false, language: 'en' });
    expect(of('上周做了什么')).toMatchObject({ timeAlone: true, language: 'zh' });
    expect(of('why did the deploy fail yesterday').timeAlone).toBe(false);
    expect(of('the "deploy" of yesterday').timeAlone).toBe(false);
    expect(of('the latest decision about caching')).toMatchObject({ newest: true, newestAlone: false, time: null });
    expect(of('what was the last thing we did?')).toMatchObject({ newest: true, newestAlone: true });
    expect(of('where do I currently keep it').newest).toBe(false);
    expect(of('最新的决定').newest).toBe(true);
    expect(of('why is `useMemo` slow in src/list.tsx?').names).toEqual(['list.tsx', 'usememo']);
    expect(['なぜ失敗', '왜', 'почему', '???'].map((text) => of(text).language)).toEqual(['ja', 'ko', 'other', 'en']);
  });

  test('returns nothing for an empty query', () => {
    expect(of('   ')).toMatchObject({ text: '', phrases: [], time: null, names: [] });
  });
});
