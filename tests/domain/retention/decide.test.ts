import { describe, expect, test } from 'vitest';
import { importanceCap } from '../../../domain/learning/decay.ts';
import { cellsOf, decide } from '../../../domain/retention/decide.ts';
import { DATA_CLASSES } from '../../../domain/data-classes.ts';
import type { DataClass } from '../../../domain/data-classes.ts';
import { policyHash, ACTIONS_OF, RETAINED, ruleProblem } from '../../../domain/retention/policy.ts';
import type { RetentionRule } from '../../../domain/retention/policy.ts';

function rule(id: string, change: Partial<RetentionRule> = {}): RetentionRule {
  return { id, projectId: null, resource: 'observation', dataClass: null, ageDays: 30, action: 'delete', ...change };
}

const ALL = rule('all');
const CLASS = rule('class', { dataClass: 'restricted', ageDays: 7 });
const PROJECT = rule('project', { projectId: 'p', action: 'keep' });
const BOTH = rule('both', { projectId: 'p', dataClass: 'restricted', ageDays: 365 });

describe('the rule of a row', () => {
  test.each<[string, readonly RetentionRule[], string | null, DataClass, string | null]>([
    ['none', [], 'p', 'internal', null],
    ['one for all', [ALL], 'p', 'internal', 'all'],
    ['a class before all', [ALL, CLASS], 'p', 'restricted', 'class'],
    ['another class is not meant', [ALL, CLASS], 'p', 'internal', 'all'],
    ['a project before a class', [ALL, CLASS, PROJECT], 'p', 'restricted', 'project'],
    ['both before a project', [ALL, CLASS, PROJECT, BOTH], 'p', 'restricted', 'both'],
    ['another project is not meant', [PROJECT, BOTH], 'q', 'restricted', null],
    ['a row without a project', [PROJECT, ALL], null, 'internal', 'all'],
  ])('%s', (_what, rules, projectId, dataClass, expected) => {
    for (const order of [rules, rules.toReversed()])
      expect(decide(order, { resource: 'observation', projectId, dataClass })?.id ?? null).toBe(expected);
  });

  test('is of its kind alone', () => {
    expect(decide([ALL], { resource: 'prompt', projectId: null, dataClass: 'internal' })).toBeNull();
  });

  test('between equals the longer age wins, then keeping', () => {
    const longer = rule('longer', { ageDays: 31 });
    const keep = rule('keep', { action: 'keep' });
    const row = { resource: 'observation', projectId: null, dataClass: 'public' } as const;
    expect(decide([ALL, longer], row)?.id).toBe('longer');
    expect(decide([ALL, keep], row)?.id).toBe('keep');
  });
});

/** Numbers from a seed, the same in every run. */
function* numbers(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    yield state / 2_147_483_648;
  }
}

test('assigns every row’s cell the row’s rule', () => {
  const random = numbers(7);
  const one = <Value>(values: readonly [Value, ...Value[]]): Value =>
    values[Math.floor(random.next().value * values.length)] ?? values[0];
  for (let round = 0; round < 300; round += 1) {
    const rules = Array.from({ length: Math.floor(random.next().value * 7) }, (_, n) =>
      rule(String(n), {
        resource: one(['observation', 'session']),
        projectId: one([null, 'p', 'q']),
        dataClass: one([null, 'restricted', 'internal']),
        ageDays: one([1, 30, 90]),
        action: one(['keep', 'decay', 'delete']),
      }),
    ).filter((made) => made.resource === 'observation' || made.dataClass === null);
    for (const resource of ['observation', 'session'] as const) {
      const cells = cellsOf(rules, resource);
      const named = new Set(rules.filter((each) => each.resource === resource).map((each) => each.projectId));
      for (const projectId of [null, 'p', 'q', 'other'])
        for (const dataClass of resource === 'observation' ? DATA_CLASSES : [null]) {
          const place = projectId !== null && named.has(projectId) ? projectId : null;
          const found = cells.filter((cell) => cell.projectId === place && cell.dataClass === dataClass);
          const decided = decide(rules, { resource, projectId, dataClass });
          const expected = decided === null || decided.action === 'keep' ? [] : [decided.id];
          expect(found.map((cell) => cell.rule)).toEqual(expected);
        }
    }
  }
});

test('hashes policies and legal holds independent of order', () => {
  const legalHolds = [{ id: 'h', subject: 'user', subjectId: 'u' }];
  expect(policyHash([ALL, CLASS], legalHolds)).toBe(policyHash([CLASS, ALL], legalHolds));
  const others = [
    policyHash([ALL], legalHolds),
    policyHash([ALL, CLASS], []),
    policyHash([ALL, { ...CLASS, ageDays: 8 }], legalHolds),
    policyHash([ALL, { ...CLASS, action: 'keep' }], legalHolds),
  ];
  expect(new Set([...others, policyHash([ALL, CLASS], legalHolds)]).size).toBe(5);
});

test('reports an invalid rule by its field', () => {
  expect(ruleProblem(rule('a', { action: 'archive' }))?.field).toBe('action');
  expect(ruleProblem(rule('a', { resource: 'usage', projectId: 'p' }))?.field).toBe('project');
  expect(ruleProblem(rule('a', { resource: 'session', dataClass: 'public' }))?.field).toBe('data_class');
  for (const resource of RETAINED)
    for (const action of ACTIONS_OF[resource]) expect(ruleProblem(rule('a', { resource, action }))).toBeNull();
});

test('importance falls with age alone, in steps, and never below its floor', () => {
  expect([-5, 0, 29, 30, 90, 180, 10_000].map(importanceCap)).toEqual([1, 1, 1, 0.5 ** (1 / 3), 0.5, 0.25, 0.05]);
  for (let days = 0; days < 700; days += 13) expect(importanceCap(days + 13)).toBeLessThanOrEqual(importanceCap(days));
});
