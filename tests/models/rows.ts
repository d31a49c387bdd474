import type { SourceRow } from '../../domain/ports/model.ts';

/** Required fields of a test row. */
export type RowDraft = Pick<SourceRow, 'type' | 'content'> & Partial<SourceRow>;

/** Returns rows with defaults; a row's seq is its position in the list. */
export function rowsFrom(drafts: readonly RowDraft[]): readonly SourceRow[] {
  return drafts.map((draft, index) => ({
    id: `row-${String(index + 1)}`,
    seq: index + 1,
    role: draft.type === 'user' || draft.type === 'assistant' || draft.type === 'system' ? 'prompt' : 'observation',
    tool: null,
    title: '',
    tokens: Math.ceil(draft.content.length / 4),
    dataClass: 'internal',
    filesRead: [],
    filesModified: [],
    occurredAt: '2026-03-02T09:00:00Z',
    ...draft,
  }));
}

export function ran(command: string, output: string, failed = false): RowDraft {
  return {
    type: failed ? 'error' : 'tool_result',
    tool: 'Bash',
    title: `Bash: ${command}`,
    content: `$ ${command}\n\n${output}`,
  };
}

export function edited(path: string, before: string, after: string): RowDraft {
  return {
    type: 'tool_result',
    tool: 'Edit',
    title: `Edit: ${path}`,
    content: `${path}\n- ${before}\n+ ${after}`,
    filesModified: [path],
  };
}

/** A failing test, a wrong attempt, the fix, a decision, a preference, open work. */
export const miniSession: readonly SourceRow[] = rowsFrom([
  { type: 'user', content: 'The test for 29 February is red since yesterday. Find out why and fix it.' },
  ran(
    'npx vitest run tests/calendar.test.ts',
    "Exit code 1\n\n ✗ adds a year to 29 February (3ms)\nAssertionError: expected '2025-03-01' to be '2025-02-28'\n\n Tests  1 failed | 11 passed (12)",
    true,
  ),
  edited('/repo/src/calendar.ts', 'const day = date.getDate();', 'const day = date.getDate() - 1;'),
  ran(
    'npx vitest run tests/calendar.test.ts',
    "Exit code 1\n\n ✗ adds a year to 1 March (2ms)\nAssertionError: expected '2025-02-28' to be '2025-03-01'\n\n Tests  1 failed | 11 passed (12)",
    true,
  ),
  edited(
    '/repo/src/calendar.ts',
    'const day = date.getDate() - 1;',
    'const day = Math.min(date.getDate(), daysIn(month, year));',
  ),
  ran('npx vitest run tests/calendar.test.ts', ' ✓ tests/calendar.test.ts (12 tests)\n\n Tests  12 passed (12)'),
  {
    type: 'assistant',
    content:
      'Perfect! The root cause: `addYears` in calendar.ts let the day overflow into March, because `Date` rolls over days that a month does not have. ' +
      'Fixed `addYears` in calendar.ts by clamping the day to the last day of the month. Taking one day off was wrong, since it broke 1 March.\n\n' +
      'Next steps:\n- Check `addMonths` for the same overflow\n- Document the clamping in the README',
  },
  {
    type: 'user',
    content:
      'Good. Decision: we keep plain Date instead of a date library, because the bundle must stay under 50 kB. And from now on always use UTC in tests, never the local time zone.',
  },
  { type: 'assistant', content: 'Noted. I have added the rule to CONTRIBUTING.md.' },
]);
