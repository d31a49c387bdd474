import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it, type TestContext } from 'vitest';
import type { Understanding } from '../summarise/local-quality.ts';
import { hashOf, isEcho, isQuestion, isUseful, saysWhatHappened } from './judgement.ts';
import { matches } from './matching.ts';
import { HALVES, readRubrics, type Rubric, type RubricItem } from './rubric.ts';
import { scoreQuality } from './score.ts';
import { sentences, statementsOf } from './statements.ts';

const EVENTS = new URL('../../../../shared/data/coding-sessions/events/', import.meta.url);

const item = (more: Partial<RubricItem> = {}): RubricItem => ({
  id: 'demo-01',
  kind: 'decision',
  text: 'The nightly export runs with ruff before the tests.',
  terms: [['ruff'], ['export', 'nightly job']],
  rows: ['demo-e0001'],
  stated: true,
  ...more,
});

const rubricOf = (session: string, half: 'A' | 'B', items: readonly RubricItem[]): Rubric => ({
  session,
  half,
  items: [...items],
});

/** A session of one topic; `content` is its text. */
function understood(content: string, title = 'Run ruff before the export'): Understanding {
  const summary = {
    request: '',
    investigated: '',
    learned: '',
    nextSteps: '',
    notes: '',
    keyPoints: [],
    actionItems: [],
  };
  return {
    session: { name: 'demo', rows: [], windows: [], toolInputs: '' },
    topics: [{ title: '', content, keyPoints: [], actionItems: [], items: [] }],
    summary: { ...summary, title, completed: 'Changed the order in export.ts.' },
    learnings: [],
    dropped: 0,
    claims: 0,
  };
}

describe('the match of an item', () => {
  it('needs every group of terms in one statement, ignoring case', () => {
    expect(matches(item(), 'Ruff checks the code before the nightly   JOB runs.')).toBe(true);
    expect(matches(item(), 'Ruff checks the code.')).toBe(false);
    expect(sentences('Ruff checks the code. The export runs.').some((one) => matches(item(), one))).toBe(false);
  });

  it('accepts a term at the start of a word only', () => {
    expect(matches(item({ terms: [['export']] }), 'The exports run at night.')).toBe(true);
    expect(matches(item({ terms: [['port']] }), 'The exports run at night.')).toBe(false);
    expect(matches(item({ terms: [['.uvenv']] }), 'It was created in x.uvenv beside the old one.')).toBe(true);
  });

  it('rejects questions and echoes of tools, except for the name of a file', () => {
    const ruff = item({ terms: [['ruff']] });
    expect(matches(ruff, 'Do we still need ruff?')).toBe(false);
    expect(matches(ruff, 'We use ruff, right?')).toBe(true);
    expect(matches(ruff, '`ruff check --fix .`')).toBe(false);
    expect(matches(ruff, 'Wrote 12 lines to ruff.toml')).toBe(false);
    expect(matches({ ...ruff, kind: 'file' }, 'Wrote 12 lines to ruff.toml')).toBe(true);
  });
});

describe('the judgement of a statement', () => {
  it.each(['`pytest -q`', 'Bash: echo step 1', 'Wrote 53 lines to a.md', 'exit code: 1.', 'Files: a.md'])(
    'takes %s for an echo',
    (text) => {
      expect(isEcho(text)).toBe(true);
      expect(isUseful(text)).toBe(false);
    },
  );

  it.each([
    ['We have 94% test coverage but added error handling without tests first.', true],
    ['Removed hardcoded test user names from library.py.', true],
    ['This looks better than it did in library.py before.', false],
    ['Why does ruff check the fixtures?', false],
    ['OK, thanks for the explanation of git mv.', false],
    ['Just go on with it then.', false],
  ])('judges %s as %s', (text, useful) => {
    expect(isUseful(text)).toBe(useful);
  });

  it('distinguishes questions from assertions', () => {
    expect(isQuestion('Why is it empty?')).toBe(true);
    expect(isQuestion('The file is library_spec.py, right?')).toBe(false);
  });

  it('wants a title and a result that say what happened', () => {
    expect(saysWhatHappened('Move the fixtures', ['Moved them to specs/.'])).toBe(true);
    expect(saysWhatHappened('Bash: echo step 1', ['Moved them to specs/.'])).toBe(false);
    expect(saysWhatHappened('How do I start it?', ['Moved them to specs/.'])).toBe(false);
    expect(saysWhatHappened('Move the fixtures', [])).toBe(false);
    expect(saysWhatHappened('Move the fixtures', ['`git mv a b`'])).toBe(false);
  });

  it('keys labels by the folded statement', () => {
    expect(hashOf('Removed  the file.')).toBe(hashOf('removed the file'));
    expect(hashOf('Removed the file')).not.toBe(hashOf('Removed a file'));
  });
});

describe('the score', () => {
  it('counts items by kind and half, and matches in other sessions', () => {
    const figures = scoreQuality([
      {
        rubric: rubricOf('one', 'A', [
          item({ id: 'one-01' }),
          item({ id: 'one-02', kind: 'open', terms: [['zebra']] }),
        ]),
        of: understood('Ruff runs before the export. Do we like zebras?'),
      },
      {
        rubric: rubricOf('two', 'B', [item({ id: 'two-01', kind: 'failure', stated: false, terms: [['ruff']] })]),
        of: understood('The cache was removed from git.', 'Bash: rm cache'),
      },
    ]);
    expect(figures).toMatchObject({
      sessions: 2,
      items: 3,
      recall: 0.333,
      recallBy: { decision: 1, open: 0, failure: 0, A: 0.5, B: 0 },
      statedKept: 0.5,
      missed: ['one-02', 'two-01'],
      falseMatches: 0.333,
      sayWhatHappened: 1,
      sayNothing: ['two'],
    });
  });

  it('counts each statement once, an item with its title', () => {
    const one = understood('The export is empty. The export is empty!');
    expect(statementsOf(one)).toEqual([
      'Run ruff before the export',
      'Changed the order in export.ts.',
      'The export is empty!',
    ]);
  });
});

describe('the rubric', () => {
  const rubrics = readRubrics();

  it('has at least twelve items for each session, or a note', () => {
    expect(rubrics.filter(({ items, note }) => items.length < 12 && note === undefined)).toEqual([]);
    const ids = rubrics.flatMap(({ items }) => items.map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
    for (const { session, items } of rubrics) expect(items.every(({ id }) => id.startsWith(session))).toBe(true);
  });

  it('alternates the halves by name', () => {
    expect(rubrics.map(({ half }) => half)).toEqual(rubrics.map((_, index) => HALVES[index % 2]));
  });

  it('cites rows of its session', (ctx: TestContext) => {
    if (!existsSync(EVENTS)) {
      ctx.skip('skipped: no shared data');
      return;
    }
    for (const { session, items } of rubrics) {
      const text = readFileSync(new URL(`${session}.ndjson`, EVENTS), 'utf8');
      expect(items.flatMap(({ rows }) => rows).filter((row) => !text.includes(`"${row}"`))).toEqual([]);
    }
  });
});
