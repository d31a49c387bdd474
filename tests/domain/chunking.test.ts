import { describe, expect, it } from 'vitest';
import { chunkText } from '../../domain/chunking.ts';
import { randomFrom, randomText } from './support/random.ts';
import { processorMs } from '../setup/processor-time.ts';

const textsOf = (content: string, title = ''): string[] => chunkText(title, content).map((chunk) => chunk.text);

describe('short texts', () => {
  it.each([
    ['one chunk', 'T', ' some text\n', ['some text']],
    ['the title where there is no content', ' Title ', ' \n\t', ['Title']],
    ['nothing', '', '', []],
    ['blanks alone', ' \n', '\t ', []],
    ['neither letters nor digits', 'T', '{}\n\n[] …', []],
    ['a notification that the agent waits', 'Notification', 'Claude is waiting for your input', []],
    [
      'a notification that the agent requests permission',
      'Notification',
      'Claude needs your permission to use Bash',
      [],
    ],
    [
      'a text that begins as a notification',
      '',
      'Claude is waiting for your input: CI is red',
      ['Claude is waiting for your input: CI is red'],
    ],
    [
      'a text that begins as such a request',
      '',
      'Claude needs your approval for migrations',
      ['Claude needs your approval for migrations'],
    ],
    ['a number', '', '42', ['42']],
    ['up to the bound', '', 'x'.repeat(1_000), ['x'.repeat(1_000)]],
  ])('%s', (_, title, content, expected) => {
    expect(textsOf(content, title)).toEqual(expected);
  });
});

describe('cut positions', () => {
  it.each([
    [
      'after a line rather than a sentence or a word',
      `${'x'.repeat(700)}\n${'y'.repeat(100)}. ${'z'.repeat(100)} ${'w'.repeat(300)}`,
      701,
    ],
    ['after a sentence rather than a word', `${'x'.repeat(700)}. ${'y'.repeat(100)} ${'z'.repeat(400)}`, 702],
    ['after a word', `${'x'.repeat(700)} ${'y'.repeat(600)}`, 701],
    ['at the last of them', `${'x'.repeat(700)} ${'y'.repeat(100)} ${'z'.repeat(600)}`, 802],
    ['not before the last third', `${'x'.repeat(600)} ${'y'.repeat(900)}`, 1_000],
    ['a sentence that ends at the very bound', `${'x'.repeat(998)}. ${'y'.repeat(500)}`, 1_000],
    ['a full stop just before the bound, its blank after it', `${'x'.repeat(999)}. ${'y'.repeat(500)}`, 1_000],
  ])('%s', (_, text, length) => {
    expect(textsOf(text)[0]).toHaveLength(length);
  });
});

describe('overlap', () => {
  it('begins at a word and repeats the end of the chunk before', () => {
    const text = Array.from({ length: 400 }, (_, n) => `word${n}`).join(' ');
    const chunks = textsOf(text);
    expect(chunks.length).toBeGreaterThan(2);
    for (const [n, chunk] of chunks.entries()) {
      expect(chunk).toMatch(/^word\d/);
      expect(n === 0 || chunks[n - 1]?.includes(chunk.slice(0, 70))).toBe(true);
    }
  });
});

describe('surrogate pairs', () => {
  it.each([0, 1, 2, 3])('stay complete after %i letters', (letters) => {
    const chunks = textsOf(`${'x'.repeat(letters)}${`${'😀'.repeat(20)}x`.repeat(150)}`);
    expect(chunks.length).toBeGreaterThan(5);
    expect(chunks.join('')).not.toContain('\uFFFD');
  });
});

describe('very long texts', () => {
  it('consist of their first twelve and their last four chunks', () => {
    const lines = Array.from({ length: 3_000 }, (_, n) => `line ${n} logs what happened there`);
    const chunks = chunkText('T', lines.join('\n'));
    expect(chunks.map((chunk) => chunk.n)).toEqual(Array.from({ length: 16 }, (_, n) => n));
    expect(chunks[0]?.text).toContain('line 0 ');
    expect(chunks[11]?.text).toContain('line 3');
    expect(chunks[15]?.text).toContain('line 2999 ');
    expect(chunks.some((chunk) => chunk.text.includes('line 1500 '))).toBe(false);
  });

  it.each(['A', '😀', 'ab ', '\n '])('2 MiB of %j take no time', (piece) => {
    const text = `x${piece.repeat((2 * 1024 * 1024) / piece.length)}x`;
    const spentMs = processorMs(() => expect(chunkText('', text).length).toBeLessThanOrEqual(16));
    expect(spentMs).toBeLessThan(700);
  });
});

describe('any text', () => {
  it('is covered without a gap by well-formed chunks within the bound, the same ones every time', () => {
    const random = randomFrom(3);
    for (let round = 0; round < 150; round += 1) {
      const text = randomText(random, 4_000).toWellFormed().trim();
      const chunks = chunkText('T', text);
      expect(chunkText('T', text)).toEqual(chunks);
      let covered = 0;
      for (const chunk of chunks) {
        expect(chunk.text.length).toBeLessThanOrEqual(1_000);
        expect(chunk.text.isWellFormed()).toBe(true);
        const at = text.lastIndexOf(chunk.text, covered);
        expect(at).toBeGreaterThanOrEqual(0);
        covered = Math.max(covered, at + chunk.text.length);
      }
      expect(covered === text.length || chunks.length === 16).toBe(true);
    }
  });
});

describe('content hash', () => {
  const hashOf = (title: string, content: string): string =>
    chunkText(title, content)[0]?.contentHash.toString('hex') ?? '';

  it('is that of title and text', () => {
    expect(hashOf('T', 'text')).toMatch(/^[0-9a-f]{64}$/);
    expect(hashOf('T', ' text ')).toBe(hashOf('T', 'text'));
    expect(hashOf('U', 'text')).not.toBe(hashOf('T', 'text'));
    expect(hashOf('T', 'texts')).not.toBe(hashOf('T', 'text'));
    expect(hashOf('Tt', 'ext')).not.toBe(hashOf('T', 'text'));
  });
});
