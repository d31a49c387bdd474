import { dateSpan, lastWeekday, moved, unitAround } from './calendar.ts';
import type { CalendarUnit } from './calendar.ts';
import type { TimePattern } from './time-english.ts';

const DIGITS = '零一二三四五六七八九';
const COUNT = '(?<count>[0-9]{1,4}|[一二两三四五六七八九十]{1,3}|几)';
const UNIT = '(?:个)?(?<unit>小时|天|日|周|星期|礼拜|月|年)';
const WEEKDAY = '(?:周|星期|礼拜)(?<weekday>[一二三四五六日天])';

/** Parses Chinese numbers up to 99, or digits. "几" means a few. */
function countOf(text = ''): number {
  if (/^\d/u.test(text)) return Number(text);
  if (text === '几') return 3;
  const plain = text.replaceAll('两', '二');
  const [tens = '', ones = ''] = plain.includes('十') ? plain.split('十') : ['零', plain];
  return (tens === '' ? 1 : DIGITS.indexOf(tens)) * 10 + (ones === '' ? 0 : DIGITS.indexOf(ones));
}

function unitOf(text = ''): CalendarUnit {
  if (text === '小时') return 'hour';
  if (text === '月') return 'month';
  if (text === '年') return 'year';
  return text === '天' || text === '日' ? 'day' : 'week';
}

const numberOf = (text: string | undefined): number | null => (text === undefined ? null : countOf(text));
const daysBack =
  (days: number): TimePattern['read'] =>
  (_, now) =>
    unitAround(moved(now, 'day', -days), 'day');
const unitBack =
  (unit: CalendarUnit, by: number): TimePattern['read'] =>
  (_, now) =>
    unitAround(moved(now, unit, -by), unit);

/** Chinese expressions of time, longer forms before their parts. */
export const CHINESE_TIMES: readonly TimePattern[] = [
  { pattern: /大前天/gu, read: daysBack(3) },
  { pattern: /前天/gu, read: daysBack(2) },
  { pattern: /昨天|昨日|昨晚/gu, read: daysBack(1) },
  { pattern: /今天|今日|今早|今晚/gu, read: daysBack(0) },
  {
    pattern: new RegExp(`上(?:个)?${WEEKDAY}`, 'gu'),
    read: ({ weekday }, now) => {
      const monday = unitAround(moved(now, 'week', -1), 'week').from;
      return unitAround(moved(monday, 'day', weekdayOf(weekday) - 1), 'day');
    },
  },
  { pattern: /上上(?:个)?(?:周|星期|礼拜)/gu, read: unitBack('week', 2) },
  { pattern: /上(?:个|一)?(?:周|星期|礼拜)/gu, read: unitBack('week', 1) },
  { pattern: /(?:本|这个?)(?:周|星期|礼拜)/gu, read: unitBack('week', 0) },
  { pattern: /上上个?月/gu, read: unitBack('month', 2) },
  { pattern: /上个?月/gu, read: unitBack('month', 1) },
  { pattern: /本月|这个月/gu, read: unitBack('month', 0) },
  { pattern: /前年/gu, read: unitBack('year', 2) },
  { pattern: /去年/gu, read: unitBack('year', 1) },
  { pattern: /今年/gu, read: unitBack('year', 0) },
  {
    pattern: new RegExp(`(?:最近|过去|近)(?:的)?${COUNT}${UNIT}`, 'gu'),
    read: ({ count, unit }, now) => ({
      from: moved(now, unitOf(unit), -countOf(count)),
      to: new Date(now.getTime() + 1),
    }),
  },
  {
    pattern: new RegExp(`${COUNT}${UNIT}(?:以|之)?前`, 'gu'),
    read: ({ count, unit }, now) => unitAround(moved(now, unitOf(unit), -countOf(count)), unitOf(unit)),
  },
  {
    pattern:
      /(?<year>\d{4})年(?:(?<month>\d{1,2}|十[一二]?|[一二三四五六七八九])月(?:(?<day>\d{1,2}|[一二三]?十?[一二三四五六七八九]|[一二三]?十)[日号])?)?/gu,
    read: ({ year, month, day }, now) => dateSpan(Number(year), numberOf(month), numberOf(day), now),
  },
  {
    pattern:
      /(?<![年\d])(?<month>\d{1,2}|十[一二]?|[一二三四五六七八九])月(?:份|(?<day>\d{1,2}|[一二三]?十?[一二三四五六七八九]|[一二三]?十)[日号])?/gu,
    read: ({ month, day }, now) => dateSpan(null, numberOf(month), numberOf(day), now),
  },
  { pattern: new RegExp(WEEKDAY, 'gu'), read: ({ weekday }, now) => lastWeekday(weekdayOf(weekday), now) },
];

function weekdayOf(text = ''): number {
  return text === '日' || text === '天' ? 7 : DIGITS.indexOf(text);
}
