import { expect, test } from 'vitest';
import { alertsOf, shortened } from './support/shortened-rules.ts';

const RULES = `groups:
  - name: one
    rules:
      - alert: First
        expr: |-
          sum(increase(a_total[5m])) > 0 or a unless a offset 1h > 13 * 3600
        for: 2m
        labels:
          priority: P0
      - alert: Second
        expr: 'recollect:ratio_3d > 0.5'
        labels:
          priority: P0
      - alert: Third
        for: 1d
        labels:
          priority: P1
`;

test('divides every duration of rules, and nothing else', () => {
  expect(shortened(RULES, 60)).toBe(
    RULES.replace('[5m]', '[5000ms]')
      .replace('offset 1h', 'offset 60000ms')
      .replace('for: 2m', 'for: 2000ms')
      .replace('for: 1d', 'for: 1440000ms'),
  );
});

test.each([1, 60])('reads the alerts of a priority from rules divided by %s', (divisor) => {
  expect([...alertsOf(shortened(RULES, divisor), 'P0')]).toEqual([
    ['First', 120_000 / divisor],
    ['Second', 0],
  ]);
  expect([...alertsOf(RULES, 'P1')]).toEqual([['Third', 86_400_000]]);
});
