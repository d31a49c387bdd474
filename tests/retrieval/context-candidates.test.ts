import { describe, expect, it } from 'vitest';
import { memoryHash } from '../../domain/memory.ts';
import type { PreferenceSource } from '../../domain/profile/profile.ts';
import { entriesOfProject, SECTIONS } from '../../retrieval/context-candidates.ts';
import type { ProjectSources } from '../../retrieval/context-candidates.ts';
import type {
  ClosedLearning,
  ContextItem,
  ContextLearning,
  ContextSession,
} from '../../stores/postgres/memories/context-sources.ts';

const NOW = new Date('2026-03-31T12:00:00Z');
const idOf = (n: number): string => `0192f0c1-2345-7abc-8def-${String(n).padStart(12, '0')}`;
const ID = idOf(1);

const session = (changes: Partial<ContextSession> = {}): ContextSession => ({
  id: ID,
  title: 'Fixed the build',
  completed: 'The build is green.',
  learned: 'x',
  nextSteps: 'Release it.',
  actionItems: [],
  occurredAt: NOW,
  ...changes,
});
const learning = (changes: Partial<ContextLearning> = {}): ContextLearning => ({
  id: ID,
  category: 'solution',
  title: 'Forks',
  description: 'Vitest needs pool "forks" here.',
  confidence: 0.8,
  verified: false,
  useWeight: 0,
  validFrom: NOW,
  ...changes,
});
const item = (changes: Partial<ContextItem> = {}): ContextItem => ({
  id: ID,
  kind: 'decision',
  title: 'Use PostgreSQL',
  content: 'Because it is there.',
  importance: 0.5,
  occurredAt: NOW,
  ...changes,
});

const entriesOf = (sources: Partial<ProjectSources>, now = NOW) =>
  entriesOfProject({ sessions: [], learnings: [], closed: [], items: [], preferences: [], ...sources }, now);
const valueOf = (sources: Partial<ProjectSources>, now = NOW): number =>
  entriesOf(sources, now)[0]?.value ?? Number.NaN;

describe('lines', () => {
  const hash = memoryHash(ID);

  it.each<[string, Partial<ProjectSources>, string]>([
    [
      'a session',
      { sessions: [session()] },
      `- 2026-03-31 Fixed the build [${hash}]\n  done: The build is green.\n  next: Release it.`,
    ],
    [
      'a session that left nothing open',
      { sessions: [session({ nextSteps: '' })] },
      `- 2026-03-31 Fixed the build [${hash}]\n  done: The build is green.`,
    ],
    [
      'a session of a title alone',
      { sessions: [session({ nextSteps: '', completed: '' })] },
      `- 2026-03-31 Fixed the build [${hash}]`,
    ],
    ['a learning', { learnings: [learning()] }, `- solution: Vitest needs pool "forks" here. [${hash}]`],
    ['an item', { items: [item()] }, `- decision: Use PostgreSQL [${hash}]`],
    ['an item without a title', { items: [item({ title: '' })] }, `- decision: Because it is there. [${hash}]`],
    [
      'a text of several lines',
      { learnings: [learning({ description: ' a\n\n b\tc ' })] },
      `- solution: a b c [${hash}]`,
    ],
  ])('of %s', (_, sources, text) => {
    expect(entriesOf(sources).map((entry) => entry.text)).toEqual([text]);
  });

  it.each([
    ['at a word', 'word '.repeat(200), /^- solution: (?:word ?)+… \[/],
    ['in a text without words', '时'.repeat(900), /^- solution: 时{200,}… \[/],
    ['never in half a character', `x${'😀'.repeat(500)}`, /^- solution: x(?:😀){90,}/u],
  ])('are cut short %s', (_, description, pattern) => {
    const text = entriesOf({ learnings: [learning({ description })] })[0]?.text ?? '';
    expect(text).toMatch(pattern);
    expect(text.length).toBeLessThan(430);
    expect(text.isWellFormed()).toBe(true);
  });

  it('are in the order of the block’s sections, each with a reason', () => {
    const entries = entriesOf({
      sessions: [session(), session({ id: idOf(2) })],
      learnings: [learning(), learning({ verified: true })],
      items: [item({ kind: 'bugfix' })],
    });
    expect(entries.map(({ section, type, reason }) => [SECTIONS[section], type, reason])).toEqual([
      ['Where the last session stopped', 'summary', 'newest session of the project'],
      ['Where the last session stopped', 'summary', 'recent session of the project'],
      ['Known', 'learning', 'learning of the project, confidence 0.80'],
      ['Known', 'learning', 'verified learning of the project'],
      ['Decided and fixed', 'summary', 'bugfix of the project'],
    ]);
  });
});

describe('values', () => {
  it.each([
    ['the newest session more than another', entriesOf({ sessions: [session(), session()] })],
    ['a verified learning more than another', entriesOf({ learnings: [learning({ verified: true }), learning()] })],
    ['a surer learning', entriesOf({ learnings: [learning({ confidence: 0.9 }), learning({ confidence: 0.5 })] })],
    ['a learning that was used', entriesOf({ learnings: [learning({ useWeight: 5 }), learning()] })],
    ['a younger learning', entriesOf({ learnings: [learning(), learning({ validFrom: new Date('2026-01-01') })] })],
    ['a decision more than a bugfix', entriesOf({ items: [item(), item({ kind: 'bugfix' })] })],
    ['what is important', entriesOf({ items: [item({ importance: 0.9 }), item({ importance: 0.1 })] })],
    [
      'a session with more details',
      [...entriesOf({ sessions: [session()] }), ...entriesOf({ sessions: [session({ nextSteps: '' })] })],
    ],
  ])('%s', (_, [more, less]) => {
    expect(more?.value).toBeGreaterThan(less?.value ?? Number.POSITIVE_INFINITY);
  });

  it('follow the weights: relevance 0.40, importance 0.25, recency 0.20, use 0.15', () => {
    const best = learning({ verified: true, confidence: 1, useWeight: 50 });
    expect(valueOf({ learnings: [best] })).toBeCloseTo(1, 10);
    expect(valueOf({ learnings: [{ ...best, verified: false }] })).toBeCloseTo(1 - 0.4 * 0.4, 10);
    expect(valueOf({ learnings: [{ ...best, confidence: 0 }] })).toBeCloseTo(0.75, 10);
    expect(valueOf({ learnings: [{ ...best, useWeight: 0 }] })).toBeCloseTo(0.85, 10);
    expect(valueOf({ learnings: [{ ...best, useWeight: 5_000 }] })).toBeCloseTo(1, 10);
    // Thirty days: recency is halved.
    expect(valueOf({ learnings: [{ ...best, validFrom: new Date('2026-03-01T00:00:00Z') }] })).toBeCloseTo(0.9, 10);
    expect(valueOf({ learnings: [{ ...best, validFrom: new Date('1970-01-01') }] })).toBeCloseTo(0.8, 5);
  });

  it('are the same all day, for the same bytes all day', () => {
    const sources = { learnings: [learning({ validFrom: new Date('2026-03-01T15:00:00Z') })] };
    const [first, last, next] = [
      '2026-03-31T00:00:00.000Z',
      '2026-03-31T23:59:59.999Z',
      '2026-04-01T00:00:00.000Z',
    ].map((at) => valueOf(sources, new Date(at)));
    expect(last).toBe(first);
    expect(next).toBeLessThan(first ?? 0);
  });

  it('treat a future time as now', () => {
    expect(valueOf({ learnings: [learning({ validFrom: new Date('2027-01-01') })] })).toBe(
      valueOf({ learnings: [learning()] }),
    );
  });
});

describe('texts that a learning repeats', () => {
  const learnings = [learning({ description: 'We use PostgreSQL, not SQLite.' })];

  it.each([
    ['the same words', 'use PostgreSQL'],
    ['other case and signs', 'Use: "PostgreSQL"!'],
    ['other spacing', 'use\n postgresql  NOT sqlite'],
    ['wide letters', 'ｕｓｅ PostgreSQL'],
  ])('omits: %s', (_, title) => {
    expect(entriesOf({ learnings, items: [item({ title })] }).map(({ type }) => type)).toEqual(['learning']);
  });

  it.each([
    ['other words', 'use MySQL'],
    ['more words', 'use PostgreSQL 18'],
    ['no title', ''],
    ['signs alone', '!!!'],
  ])('shows: %s', (_, title) => {
    expect(entriesOf({ learnings, items: [item({ title })] }).map(({ type }) => type)).toEqual(['learning', 'summary']);
  });
});

describe('open points of the newest session', () => {
  const point = (text: string) => ({ text, evidence: [] });

  it('follow the next steps, at most four, without duplicates', () => {
    const actionItems = ['Release it', 'Write the notes', 'Call them', 'Tag', 'Sleep', 'Eat'].map(point);
    expect(
      entriesOf({ sessions: [session({ actionItems })] })[0]
        ?.text.split('\n')
        .slice(1),
    ).toEqual([
      '  done: The build is green.',
      '  next: Release it.',
      '  open: Write the notes',
      '  open: Call them',
      '  open: Tag',
      '  open: Sleep',
    ]);
  });
});

describe('the section Not again', () => {
  const closed: ClosedLearning = {
    id: idOf(9),
    description: 'Threads are fine.',
    reason: 'contradicted',
    instead: 'Forks are needed.',
    closedAt: NOW,
  };

  it.each([
    ['with what is true now', {}, '- not true any more (contradicted): Threads are fine.; now: Forks are needed.'],
    ['with nothing in its place', { instead: '' }, '- not true any more (contradicted): Threads are fine.'],
  ])('shows closed learnings, %s', (_, changes, line) => {
    expect(entriesOf({ closed: [{ ...closed, ...changes }] })).toEqual([
      expect.objectContaining({
        section: SECTIONS.indexOf('Not again'),
        text: `${line} [${memoryHash(idOf(9))}]`,
        reason: 'learning that was closed',
      }),
    ]);
  });

  it('shows failures', () => {
    const [entry] = entriesOf({ learnings: [learning({ category: 'error', description: 'Threads crash.' })] });
    expect(entry).toMatchObject({ section: SECTIONS.indexOf('Not again'), reason: 'learning of what failed' });
  });
});

describe('the user’s preferences', () => {
  const words = 'Please never push without asking me first.';
  const preference = (id: string, text: string, confidence = 0.6): PreferenceSource => ({
    learningId: id,
    category: 'best_practice',
    text,
    confidence,
    verified: false,
    evidence: [{ rowId: idOf(80), sessionId: idOf(81), quote: text, occurredAt: NOW }],
  });

  it('have their own section, with duplicates shown once by the most reliable', () => {
    const learnings = [
      learning({ id: idOf(1), category: 'best_practice', description: words, confidence: 0.9 }),
      learning({ id: idOf(2), category: 'best_practice', description: `${words} Please!`, confidence: 0.6 }),
    ];
    const entries = entriesOf({
      learnings,
      preferences: [preference(idOf(1), words, 0.9), preference(idOf(2), `${words} Please!`)],
    });
    expect(entries.map(({ id, section, reason }) => [id, SECTIONS[section], reason])).toEqual([
      [idOf(1), 'Requested by the user', "learning in the user's own words"],
    ]);
  });
});
