import { expect, test } from 'vitest';
import { learningTable, learningText } from '../../cli/commands/memory/learnings.ts';
import type { LearningDetail } from '../../contract/learnings.ts';
import { memoryHash } from '../../domain/memory.ts';

const NOW = Date.parse('2026-01-10T00:00:00Z');
const LEARNING: LearningDetail = {
  id: '019a0161-79ff-754c-b48f-000000000001',
  hash: 'aaaaaaab',
  session_id: null,
  user_id: 'u',
  namespace: 'default',
  use_weight: 3,
  last_used_at: null,
  verified_by: null,
  verified_at: null,
  previous_id: null,
  closed_by: null,
  reopen_reason: null,
  disputes: null,
  created_at: '2026-01-01T00:00:00.000Z',
  project: { id: 'p', name: 'tally' },
  category: 'best_practice',
  title: 'Rounding',
  description: 'Invoices are rounded half even.',
  context: '',
  examples: [],
  tags: [],
  confidence: 0.756,
  origin: 'extracted',
  visibility: 'shared',
  use_count: 3,
  verified: false,
  verify_note: null,
  version: 1,
  valid_from: '2026-01-01T00:00:00.000Z',
  valid_to: null,
  superseded_by: null,
  reason: null,
  evidence: [],
  versions: [],
};

test('a table has one line per learning, whatever its text contains', () => {
  const text = learningTable(
    [
      LEARNING,
      { ...LEARNING, hash: 'aaaaaaac', project: null, verified: true, description: 'two\nlines' },
      { ...LEARNING, hash: 'aaaaaaad', origin: 'user', description: 'x'.repeat(200) },
      { ...LEARNING, hash: 'aaaaaaae', verified: true, valid_to: '2026-01-05T00:00:00.000Z' },
    ],
    NOW,
  );
  const lines = text.trimEnd().split('\n');
  expect(lines).toHaveLength(5);
  expect(lines[1]).toMatch(/^aaaaaaab +tally +best_practice +0\.76 +3 +- +9d +Invoices are rounded half even\.$/);
  expect(lines[2]).toMatch(/^aaaaaaac +- .* verified +9d +two lines$/);
  expect(lines[3]).toMatch(/ manual +9d +x{89}…$/);
  expect(lines[4]).toMatch(/ closed +9d /);
});

test('a learning is shown with its evidence', () => {
  const quotes = Array.from({ length: 12 }, (_, n) => ({
    session_id: 's',
    row_id: `019a0161-79ff-754c-b48f-0000000000${n + 10}`,
    quote: `quote ${n}`,
    weight: 1,
  }));
  const text = learningText({ ...LEARNING, context: 'Stated by the user', examples: ['2.5 is 2'], evidence: quotes });
  expect(text).toBe(
    `aaaaaaab  Rounding
best_practice, tally, confidence 0.76, used 3 times
2026-01-01 00:00 until now

  Invoices are rounded half even.
  Stated by the user
    e.g. 2.5 is 2

Evidence
${quotes
  .slice(0, 10)
  .map((piece) => `  - “${piece.quote}” (${memoryHash(piece.row_id)})\n`)
  .join('')}  and 2 more
`,
  );
});

test('a closed learning shows the reason and its successor, and versions if there are several', () => {
  const versions = [
    {
      id: 'id-1',
      version: 1,
      title: '',
      description: 'Old words',
      valid_from: '2026-01-01T00:00:00.000Z',
      valid_to: '2026-01-02T00:00:00.000Z',
      reason: 'corrected',
      reopen_reason: null,
    },
    {
      id: 'id-2',
      version: 2,
      title: '',
      description: 'New words',
      valid_from: '2026-01-02T00:00:00.000Z',
      valid_to: null,
      reason: null,
      reopen_reason: null,
    },
  ];
  const closed = {
    valid_to: '2026-01-02T00:00:00.000Z',
    superseded_by: '019a0161-79ff-754c-b48f-000000000002',
    verified: true,
    versions,
  };
  const text = learningText({ ...LEARNING, ...closed, reason: 'corrected' });
  expect(text).toContain('2026-01-01 00:00 to 2026-01-02 00:00\nclosed: corrected\nsuperseded by: aaaaaaac\n');
  expect(text).toContain(', verified\n');
  expect(text).toMatch(
    /\nVersions\n {2}- 1, .*, corrected: Old words\n {2}- 2, 2026-01-02 00:00 until now: New words\n$/,
  );
  expect(learningText({ ...LEARNING, ...closed, versions: versions.slice(0, 1) })).toContain('closed: no reason given');
  expect(learningText({ ...LEARNING, versions: versions.slice(0, 1) })).not.toContain('Versions');
});
