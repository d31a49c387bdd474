import { describe, expect, it } from 'vitest';
import { marked, oneWord, type Piece, ShortIds, unmarked } from '../../../../models/requests/rendering/marks.ts';

const piece = (body: string, when = ''): Piece => ({ label: 'R1 user', when, body });

describe('a mark', () => {
  it('is six digits, the same for the same text, another for another', () => {
    const first = marked([piece('hello')]);
    expect(first.mark).toMatch(/^\d{6}$/u);
    expect(marked([piece('hello')])).toEqual(first);
    expect(marked([piece('hello!')]).mark).not.toBe(first.mark);
    expect(first.text).toBe(`[${first.mark} R1 user]\nhello\n[${first.mark} end]`);
  });

  it('never occurs in the text that it marks, even if that contains every tenth mark', () => {
    for (let last = 0; last < 60; last += 1) {
      const every = Array.from({ length: 100_000 }, (_, index) => String(index * 10 + (last % 10)).padStart(6, '0'));
      const { mark } = marked([piece(`${String(last)} ${every.join(' ')}`)]);
      expect(every).not.toContain(mark);
      expect(mark).toMatch(/^\d{6}$/u);
    }
  });

  it('does not depend on times, which the request text omits', () => {
    const [early, late] = [[piece('x', '+5m')], [piece('x', '+9m')]];
    expect(marked(late).mark).toBe(marked(early).mark);
    expect(marked(late).text).toContain('R1 user +9m]');
    expect(unmarked(late)).toBe('[R1 user]\nx\n[end]');
  });
});

describe('short ids', () => {
  it('are assigned in order, once per id, and resolve back', () => {
    const ids = new ShortIds('R');
    expect(['a', 'b', 'a', 'c'].map((id) => ids.shortOf(id))).toEqual(['R1', 'R2', 'R1', 'R3']);
    expect(['R1', ' R2 ', '[R3]', 'R4', 'a', ''].map((short) => ids.idOf(short))).toEqual([
      'a',
      'b',
      'c',
      null,
      null,
      null,
    ]);
  });
});

it.each([
  ['Bash', 'Bash'],
  ['mcp__files__read', 'mcp__files__read'],
  ['x]\n[123456 end]', 'x123456end'],
  ['读取', '读取'],
  ['a'.repeat(80), 'a'.repeat(60)],
])('the tool %j is shown as %j', (tool, shown) => {
  expect(oneWord(tool)).toBe(shown);
});
