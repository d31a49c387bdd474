import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { metricsPage } from '../../infra/build/metrics-docs.ts';
import { promtoolTest } from './support/alert-case.ts';
import type { AlertCase } from './support/alert-case.ts';
import { CASES_P0 } from './support/alert-cases-p0.ts';
import { CASES_P1 } from './support/alert-cases-p1.ts';
import { OTHER_CASES } from './support/alert-cases-other.ts';
import { outputOf } from './support/tools.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = path.join(ROOT, 'observability');
const RULES = ['alerts.yml', 'slo.yml'].map((file) => path.join(FOLDER, 'rules', file));
const texts = RULES.map((file) => readFileSync(file, 'utf8'));
const CASES: readonly AlertCase[] = [...CASES_P0, ...CASES_P1, ...OTHER_CASES];
/** Fires by definition. */
const ALWAYS = 'RecollectWatchdog';

/** Returns the file of an alert. */
function fileOf(alert: string): string {
  return /Burn(?:Fast|Slow)$/.test(alert) ? 'slo.yml' : 'alerts.yml';
}

interface Alert {
  readonly name: string;
  readonly priority: string;
  readonly runbook: string;
}

const alerts = texts.flatMap((text) =>
  text
    .split(/^ {6}- /m)
    .filter((rule) => rule.startsWith('alert:'))
    .map((rule): Alert => {
      const read = (field: string) => new RegExp(`${field}: (\\S+)`).exec(rule)?.[1] ?? '';
      return { name: read('alert'), priority: read('priority'), runbook: read('runbook') };
    }),
);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'recollect-rules-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('promtool accepts the rules and the configuration', () => {
  expect(outputOf('promtool', 'check', 'rules', ...RULES)).not.toContain('FAILED');
  expect(outputOf('promtool', 'check', 'config', '--syntax-only', path.join(FOLDER, 'prometheus.yml'))).not.toMatch(
    /FAILED|exit code/,
  );
});

describe('alerts', () => {
  test('have a case that fires and a silent one each, and cases have an alert', () => {
    expect(alerts.length).toBeGreaterThanOrEqual(22);
    const names = (isFiring: boolean) => CASES.filter((one) => one.fires === isFiring).map(({ alert }) => alert);
    const of = (list: readonly string[]) => [...new Set(list)].sort();
    const all = alerts.map(({ name }) => name);
    expect(of(names(true))).toEqual(of(all));
    expect(of(names(false))).toEqual(of(all.filter((name) => name !== ALWAYS)));
  });

  // Rules are evaluated as often as there are samples: some cases play more than a week.
  const groups = [...Map.groupBy(CASES, ({ alert, interval = '1m' }) => `${fileOf(alert)} every ${interval}`)];
  test.each(groups)('fire and are silent in their cases: %s', (_group, cases) => {
    const [{ alert, interval = '1m' }] = cases as [AlertCase];
    const file = path.join(folder, 'cases.json');
    const rules = [path.join(FOLDER, 'rules', fileOf(alert))];
    // JSON is YAML.
    writeFileSync(
      file,
      JSON.stringify({ rule_files: rules, evaluation_interval: interval, tests: cases.map(promtoolTest) }),
    );
    expect(outputOf('promtool', 'test', 'rules', file)).toContain('SUCCESS');
  });

  test('have a priority and a runbook that exists', () => {
    for (const { name, priority, runbook } of alerts) {
      expect([name, priority]).toEqual([name, expect.stringMatching(/^(?:P[012]|none)$/)]);
      const [file = '', anchor = ''] = runbook.split('#');
      expect(existsSync(path.join(ROOT, file))).toBe(true);
      const headings = [...readFileSync(path.join(ROOT, file), 'utf8').matchAll(/^## (.+)$/gm)].map(
        ([, heading = '']) => heading.toLowerCase().replaceAll(' ', '-'),
      );
      expect([name, headings]).toEqual([name, expect.arrayContaining([anchor])]);
    }
  });
});

test('every metric of a rule is in the list of metrics', async () => {
  const listed = new Set([...(await metricsPage()).matchAll(/^\| `(\w+)`/gm)].map(([, name = '']) => name));
  const named = texts.flatMap((text) =>
    [...text.matchAll(/\b((?:recollect|temporal)_\w+)/g)].map(([, name = '']) => name),
  );
  expect(named.length).toBeGreaterThan(40);
  const unknown = named.filter((name) => !listed.has(name) && !listed.has(name.replace(/_(?:bucket|count|sum)$/, '')));
  expect(unknown).toEqual([]);
});
