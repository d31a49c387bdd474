import { describe, expect, test } from 'vitest';
import { toCompared } from '../../../domain/learning/compare.ts';
import { disputedConfidence, draftPlace, grownConfidence, placeDrafts } from '../../../domain/learning/merge.ts';
import type { ComparedDraft, Neighbour } from '../../../domain/learning/merge.ts';
import type { LearningDraft } from '../../../domain/ports/model.ts';

const asIs = { likeness: (cosine: number) => cosine };

function draft(
  description: string,
  more: Partial<ComparedDraft> & { relation?: LearningDraft['relation'] } = {},
): ComparedDraft {
  const { relation, ...rest } = more;
  const learning: LearningDraft = {
    category: 'best_practice',
    title: '',
    description,
    context: '',
    examples: [],
    tags: [],
    confidence: 0.6,
    evidence: [],
    ...(relation === undefined ? {} : { relation }),
  };
  return { draft: learning, text: toCompared(learning, null, asIs), occurredAtMs: 100, proven: false, ...rest };
}

function known(id: string, description: string, more: Partial<Neighbour> = {}): Neighbour {
  return {
    id,
    text: toCompared({ category: 'best_practice', title: '', description }, null, asIs),
    verified: false,
    occurredAtMs: 50,
    ...more,
  };
}

const TABS = 'Always use tabs for indentation';
const NO_TABS = 'Never use tabs for indentation';
const MORE_TABS = 'Always use tabs for indentation, four columns wide, also in generated templates';
const place = (one: ComparedDraft, neighbours: Neighbour[]) => placeDrafts([one], neighbours)[0];

describe('by rules', () => {
  test.each([
    [TABS, { kind: 'same', knownId: 'a' }],
    [NO_TABS, { kind: 'contradicts', knownId: 'a' }],
    [MORE_TABS, { kind: 'refines', knownId: 'a' }],
    ['The cache lives in redis', { kind: 'new' }],
  ])('%s', (description, placing) => {
    expect(place(draft(description), [known('other', 'Deploy on Fridays'), known('a', TABS)])).toEqual(placing);
  });

  test('the nearest neighbour counts', () => {
    expect(place(draft(TABS), [known('far', NO_TABS), known('near', TABS)])).toEqual({ kind: 'same', knownId: 'near' });
  });

  test('does not close a learning by older evidence', () => {
    expect(place(draft(NO_TABS, { occurredAtMs: 10 }), [known('a', TABS)])).toEqual({ kind: 'outdated', knownId: 'a' });
  });

  test('an earlier draft of the session is a neighbour, too', () => {
    const placings = placeDrafts(
      [draft('The cache lives in redis'), draft(TABS), draft('always use TABS for indentation!')],
      [],
    );
    expect(placings.map((placing) => placing.kind)).toEqual(['new', 'new', 'same']);
    const third = placings[2];
    expect(third?.kind === 'same' ? draftPlace(third.knownId) : null).toBe(1);
    expect(draftPlace('018f0000-0000-7000-8000-00000000000c')).toBe(null);
  });
});

describe('verified learnings', () => {
  const verified = known('a', TABS, { verified: true });

  test('is disputed, not closed', () => {
    expect(place(draft(NO_TABS), [verified])).toEqual({ kind: 'disputes', knownId: 'a' });
  });

  test('are not refined: the draft is stored beside them', () => {
    expect(place(draft(MORE_TABS), [verified])).toEqual({ kind: 'new' });
  });

  test('gains evidence', () => {
    expect(place(draft(TABS), [verified])).toEqual({ kind: 'same', knownId: 'a' });
  });
});

describe('a model’s relation', () => {
  const neighbours = [known('a', TABS), known('b', 'The deploy script needs credentials of the registry')];

  test('is used if plausible', () => {
    const relation = { kind: 'refines', knownId: 'a' } as const;
    expect(place(draft('Use tabs for indentation of four columns', { relation }), neighbours)).toEqual({
      kind: 'refines',
      knownId: 'a',
    });
  });

  test.each([
    ['a learning that is not near', { kind: 'contradicts', knownId: 'b' }],
    ['a missing learning', { kind: 'contradicts', knownId: 'missing' }],
    ['news', null],
  ] as const)('is not, of %s', (_name, relation) => {
    expect(place(draft('Use spaces in Markdown lists', { relation }), neighbours)).toEqual({ kind: 'new' });
  });

  test('is overruled for equal texts', () => {
    expect(place(draft(TABS, { relation: null }), neighbours)).toEqual({ kind: 'same', knownId: 'a' });
  });
});

test('raises confidence by a quarter of the distance to certainty, and never lowers it', () => {
  expect(grownConfidence(0.6)).toBeCloseTo(0.7);
  expect(grownConfidence(0.985)).toBeCloseTo(0.98875);
  expect(grownConfidence(0.99)).toBe(0.99);
  expect(grownConfidence(1)).toBe(1);
  expect(disputedConfidence(0.9)).toBe(0.3);
  expect(disputedConfidence(0.2)).toBe(0.2);
});
