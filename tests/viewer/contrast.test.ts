import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const css = readFileSync(new URL('../../viewer/style/tokens.css', import.meta.url), 'utf8');
const tokens = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#[\da-f]{6}), (#[\da-f]{6})\)/g)].map(
    ([, name = '', light = '', dark = '']) => [name, { light, dark }] as const,
  ),
);

/** Relative luminance of WCAG 2.2. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(first: string, second: string): number {
  const [brighter = 0, darker = 0] = [luminance(first), luminance(second)].toSorted((a, b) => b - a);
  return (brighter + 0.05) / (darker + 0.05);
}

const GROUNDS = ['page', 'raised', 'sunken'];
const pairs = [
  ...['ink', 'muted', 'accent', 'good', 'warn', 'bad', 'info'].flatMap((text) =>
    GROUNDS.map((ground) => [text, ground, 4.5] as const),
  ),
  ['on-accent', 'accent', 4.5] as const,
  ['ink', 'mark', 4.5] as const,
  // Borders of controls and marks of charts: WCAG 1.4.11.
  ...['border', 'series-0', 'series-1', 'series-2', 'series-3'].flatMap((part) =>
    GROUNDS.map((ground) => [part, ground, 3] as const),
  ),
];

test.each(pairs)('%s on %s has a contrast of at least %d in both themes', (text, ground, least) => {
  for (const theme of ['light', 'dark'] as const) {
    const ratio = contrast(tokens.get(text)?.[theme] ?? '', tokens.get(ground)?.[theme] ?? '');
    expect({ theme, ratio, isEnough: ratio >= least }).toMatchObject({ isEnough: true });
  }
});

test('measures black on white as WCAG does', () => {
  expect(contrast('#000000', '#ffffff')).toBe(21);
  expect(tokens.size).toBeGreaterThan(15);
});
