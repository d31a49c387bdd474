import { describe, expect, it } from 'vitest';
import { splitBlocks } from '../../../domain/text/blocks.ts';

function blocks(text: string): readonly (readonly [string, string])[] {
  return splitBlocks(text).map(({ kind, start, end }) => [kind, text.slice(start, end)]);
}

describe('splitBlocks', () => {
  it('distinguishes headings, paragraphs, items, code and tables', () => {
    const text =
      '## Result\nIt works.\n\n- first\n2. second\n- [ ] third\n```ts\nconst a = 1;\n```\n| a | b |\n---\nEnd.';
    expect(blocks(text)).toEqual([
      ['heading', 'Result'],
      ['paragraph', 'It works.'],
      ['item', 'first'],
      ['item', 'second'],
      ['item', 'third'],
      ['code', 'const a = 1;'],
      ['table', '| a | b |'],
      ['paragraph', 'End.'],
    ]);
  });

  it('joins lines that a terminal wrapped, and no others', () => {
    const long = 'This line is so long that the terminal broke it just before the word';
    expect(blocks(`${long}\nbreak.\nShort line\nAnother one`)).toEqual([
      ['paragraph', `${long}\nbreak.`],
      ['paragraph', 'Short line'],
      ['paragraph', 'Another one'],
    ]);
  });

  it('runs an unclosed fence to the end, and drops an empty one', () => {
    expect(blocks('a word\n```\nx = 1')).toEqual([
      ['paragraph', 'a word'],
      ['code', 'x = 1'],
    ]);
    expect(blocks('```\n```')).toEqual([]);
  });

  it('needs a longer fence to close a longer fence', () => {
    expect(blocks('````\n```\ninner\n```\n````')).toEqual([['code', '```\ninner\n```']]);
  });
});
