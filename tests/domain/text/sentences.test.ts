import { describe, expect, it } from 'vitest';
import { splitSentences } from '../../../domain/text/sentences.ts';

function sentences(text: string): readonly string[] {
  return splitSentences(text).map(({ start, end }) => text.slice(start, end));
}

describe('splitSentences', () => {
  it.each([
    ['two sentences', 'It fails. We fix it.', ['It fails.', 'We fix it.']],
    [
      'file names, versions and decimals',
      'See model.ts in v1.12.0. It costs 0.5 USD.',
      ['See model.ts in v1.12.0.', 'It costs 0.5 USD.'],
    ],
    ['abbreviations', 'Use a tool, e.g. Jest. Or none.', ['Use a tool, e.g. Jest.', 'Or none.']],
    [
      'marks in a row and closing quotes',
      'Really?! He wrote "no." Then he left.',
      ['Really?!', 'He wrote "no."', 'Then he left.'],
    ],
    ['Chinese', '测试失败了。原因是时区！怎么办？改用UTC', ['测试失败了。', '原因是时区！', '怎么办？', '改用UTC']],
    ['Japanese with brackets', '「失敗した。」次に直す。', ['「失敗した。」', '次に直す。']],
    ['white space around', '  One.\n\n Two. ', ['One.', 'Two.']],
    ['nothing', ' \n ', []],
  ])('%s', (_, text, expected) => {
    expect(sentences(text)).toEqual(expected);
  });

  it('cuts a run without stops at a word', () => {
    const parts = sentences('word '.repeat(1000));
    expect(parts.length).toBeGreaterThan(5);
    for (const part of parts) expect(part.length).toBeLessThanOrEqual(605);
    expect(parts.join(' ').split(' ')).toHaveLength(1000);
  });

  it('stays inside the given span', () => {
    const text = 'A. B. C.';
    expect(splitSentences(text, { start: 3, end: 5 })).toEqual([{ start: 3, end: 5 }]);
  });
});
