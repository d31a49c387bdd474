import { expect, it } from 'vitest';
import { jsonLines } from '../../../models/claude/batch-results.ts';
import { costUsd, maxCostUsd } from '../../../models/requests/prices.ts';
import { tierOfWindow } from '../../../models/requests/port.ts';
import { rowsFrom } from '../rows.ts';
import { failure, LARGE } from './claude-fixture.ts';

const tokens = { input: 1_000, cacheWritten: 400, cached: 2_000, output: 200 };

it('each kind of token has its price; a batch pays its share of it', () => {
  expect(costUsd(tokens, LARGE.prices)).toBeCloseTo(0.0081, 12);
  expect(costUsd(tokens, LARGE.prices, 0.5)).toBeCloseTo(0.00405, 12);
});

it('no split of a call costs more than its bound, cheap or dear as writing to the cache may be', () => {
  const dearInput = { ...LARGE.prices, cacheWriteUsdPerMTok: 1 };
  for (const prices of [LARGE.prices, dearInput]) {
    const bound = maxCostUsd(3_400, 200, prices);
    for (const written of [0, 1_000, 3_400])
      expect(
        costUsd({ input: 3_400 - written, cacheWritten: written, cached: 0, output: 200 }, prices),
      ).toBeLessThanOrEqual(bound);
  }
});

it.each([
  ['short', 'tool_result', 4_000, 4_000, 'small'],
  ['long', 'tool_result', 4_001, 4_000, 'large'],
  ['short and failed', 'error', 10, 4_000, 'large'],
  ['short with a warning', 'warning', 10, 4_000, 'small'],
  ['any, with the bound at 0', 'user', 0, 0, 'large'],
] as const)('a window that is %s is for the right model', (_, type, size, bound, tier) => {
  expect(tierOfWindow(rowsFrom([{ type, content: 'x', tokens: size }]), bound)).toBe(tier);
});

async function valuesOf(chunks: readonly string[], maxLineBytes = 1_000): Promise<readonly unknown[]> {
  async function* body() {
    for (const chunk of chunks) yield await Promise.resolve(Buffer.from(chunk, 'latin1'));
  }
  const values: unknown[] = [];
  for await (const value of jsonLines(body(), maxLineBytes)) values.push(value);
  return values;
}

it('lines of JSON are read however they arrive', async () => {
  const body = Buffer.from('{"a":"ä中"}\n\r\n[1]\n"last"').toString('latin1');
  for (const size of [1, 2, 3, 7, 100]) {
    const chunks = Array.from({ length: Math.ceil(body.length / size) }, (_, index) =>
      body.slice(index * size, (index + 1) * size),
    );
    expect(await valuesOf(chunks)).toEqual([{ a: 'ä中' }, [1], 'last']);
  }
  expect(await valuesOf([])).toEqual([]);
});

it.each([
  ['is cut off', ['{"a":1}\n{"a"'], 'truncated'],
  ['is too long', ['"', 'x'.repeat(60), 'x'.repeat(60), '"\n'], 'too long'],
  ['is too long and never ends', ['x'.repeat(200)], 'too long'],
])('rejects a line that %s without repeating it', async (_, chunks, message) => {
  const error = await failure(valuesOf(chunks, 100));
  expect(error.kind).toBe('unavailable');
  expect(error.message).toContain(message);
  expect(error.message).not.toMatch(/x{5}|"a"/u);
});
