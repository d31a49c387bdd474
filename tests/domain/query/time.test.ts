import { describe, expect, test } from 'vitest';
import { timeRangeOf } from '../../../domain/query/time.ts';
import { processorMs } from '../../setup/processor-time.ts';

/** A Wednesday. */
const NOW = new Date('2026-05-13T10:30:00Z');

/** `2026-05-12..2026-05-13`; an open end is `*`, the hour is included if there is one. */
function rangeOf(text: string, now = NOW): string | null {
  const range = timeRangeOf(text, now);
  const format = (at: Date | null) => at?.toISOString().replace('T00:00:00.000Z', '').replace(':00.000Z', '') ?? '*';
  return range === null ? null : `${format(range.since)}..${format(range.until)}`;
}

describe('English', () => {
  test.each([
    ['what broke yesterday?', '2026-05-12..2026-05-13'],
    ['5000 years ago', null],
    ['in the last 5000 years', null],
    ['errors of today', '2026-05-13..2026-05-14'],
    ['the day before yesterday', '2026-05-11..2026-05-12'],
    ['what did we deploy last week', '2026-05-04..2026-05-11'],
    ['decisions this week', '2026-05-11..2026-05-18'],
    ['last month', '2026-04-01..2026-05-01'],
    ['previous year', '2025-01-01..2026-01-01'],
    ['the last 3 days', '2026-05-10T10:30..2026-05-13T10:30:00.001Z'],
    ['in the past two weeks', '2026-04-29T10:30..2026-05-13T10:30:00.001Z'],
    ['3 days ago', '2026-05-10..2026-05-11'],
    ['a couple of weeks ago', '2026-04-27..2026-05-04'],
    ['two months ago', '2026-03-01..2026-04-01'],
    ['5 hours ago', '2026-05-13T05:00..2026-05-13T06:00'],
    ['on Monday', '2026-05-11..2026-05-12'],
    ['last Wednesday', '2026-05-06..2026-05-07'],
    ['in May', '2026-05-01..2026-06-01'],
    ['during June', '2025-06-01..2025-07-01'],
    ['before 2 May 2025', '*..2025-05-02'],
    ['before the release of 2 May', '*..2026-05-02'],
    ['since the migration to pnpm on March 3rd', '2026-03-03..*'],
    ['after May 2, 2025', '2025-05-03..*'],
    ['until 2025-05-02', '*..2025-05-03'],
    ['since 2024', '2024-01-01..*'],
    ['2025-02', '2025-02-01..2025-03-01'],
    ['February 2024', '2024-02-01..2024-03-01'],
    ['between 1 March and 3 March 2026', '2026-03-01..2026-03-04'],
    ['from May 2025 to June 2025', '2025-05-01..2025-07-01'],
    ['29 February', '2024-02-29..2024-03-01'],
    ['on the 2 May', '2026-05-02..2026-05-03'],
    ['the 2nd of May', '2026-05-02..2026-05-03'],
    ['2 May 2025', '2025-05-02..2025-05-03'],
    ['between 1 May and 3 May', '2026-05-01..2026-05-04'],
    ['deploys of this morning', '2026-05-13..2026-05-14'],
  ])('%s', (text, expected) => expect(rangeOf(text)).toBe(expected));
});

describe('Chinese', () => {
  test.each([
    ['昨天出了什么错', '2026-05-12..2026-05-13'],
    ['前天的决定', '2026-05-11..2026-05-12'],
    ['上周部署了什么', '2026-05-04..2026-05-11'],
    ['上个星期五', '2026-05-08..2026-05-09'],
    ['这个月', '2026-05-01..2026-06-01'],
    ['上个月的会议', '2026-04-01..2026-05-01'],
    ['去年', '2025-01-01..2026-01-01'],
    ['最近三天', '2026-05-10T10:30..2026-05-13T10:30:00.001Z'],
    ['两周前', '2026-04-27..2026-05-04'],
    ['十二天前', '2026-05-01..2026-05-02'],
    ['2025年5月2日之前', '*..2025-05-02'],
    ['2025年5月', '2025-05-01..2025-06-01'],
    ['3月以后的改动', '2026-04-01..*'],
    ['十一月二十日', '2025-11-20..2025-11-21'],
    ['2025年5月到2025年6月', '2025-05-01..2025-07-01'],
    ['周一', '2026-05-11..2026-05-12'],
  ])('%s', (text, expected) => expect(rangeOf(text)).toBe(expected));
});

describe('text without a time', () => {
  test.each([
    'may I use this?',
    'it may fail',
    'phase 2 may fail',
    'why does todayTasks return nothing',
    'non-tonight',
    'this morning-glory',
    'the march of progress',
    'version 2025.1.3',
    'TS2345 and port 2024',
    '31 April',
    '2025-13-45',
    'in 30 days-old code',
    'since it was slow',
    'second attempt',
    '三个文件',
    '',
  ])('%s', (text) => expect(rangeOf(text)).toBeNull());

  test('returns null for contradictory bounds', () => {
    expect(rangeOf('after 2026-05-02 and before 2026-04-01')).toBeNull();
  });

  test('a clock of another day moves all of it', () => {
    expect(rangeOf('yesterday', new Date('2024-03-01T00:00:00Z'))).toBe('2024-02-29..2024-03-01');
    expect(rangeOf('a month ago', new Date('2026-03-31T12:00:00Z'))).toBe('2026-02-01..2026-03-01');
  });

  test('long and odd text is read in no time', () => {
    for (const piece of ['last ', 'the ', 'before the of ', '2 May ', '十', '"', '最近', 'a couple of '])
      expect(processorMs(() => timeRangeOf(piece.repeat(500).slice(0, 500), NOW))).toBeLessThan(500);
  });
});
