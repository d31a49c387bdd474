import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { metricsPage } from '../../infra/build/metrics-docs.ts';
import { builtDashboards, GRAFANA_FOLDER } from '../../observability/build.ts';
import { DASHBOARDS } from '../../observability/dashboards/index.ts';

test('the committed dashboards equal the built ones', () => {
  const built = builtDashboards();
  expect([...built.keys()]).toEqual(
    ['overview', 'capture', 'models', 'retrieval', 'workflows', 'storage', 'people'].map((name) => `${name}.json`),
  );
  expect(readdirSync(GRAFANA_FOLDER).sort()).toEqual([...built.keys()].sort());
  for (const [file, text] of built) expect(readFileSync(path.join(GRAFANA_FOLDER, file), 'utf8')).toBe(text);
});

test('every panel has a place of its own, a title and a query', () => {
  for (const text of builtDashboards().values()) {
    const panels = [...text.matchAll(/"gridPos": \{\s+"h": (\d+),\s+"w": (\d+),\s+"x": (\d+),\s+"y": (\d+)/g)];
    const places = panels.map(([, , , x, y]) => `${x} ${y}`);
    expect(new Set(places).size).toBe(places.length);
  }
  const panels = DASHBOARDS.flatMap(({ rows }) => rows.flatMap((row) => row.panels));
  for (const { title, queries } of panels)
    expect([title, queries.length > 0]).toEqual([expect.stringMatching(/^\w/), true]);
});

test('every metric of a query is in the list of metrics, or recorded by a rule', async () => {
  const listed = new Set([...(await metricsPage()).matchAll(/^\| `(\w+)`/gm)].map(([, name = '']) => name));
  const texts = DASHBOARDS.flatMap(({ rows }) =>
    rows.flatMap((row) => row.panels.flatMap(({ queries }) => queries.map(({ expr }) => expr))),
  );
  const named = texts.flatMap((text) =>
    [...text.matchAll(/\b((?:recollect|temporal)_\w+)/g)].map(([, name = '']) => name),
  );
  expect(named.length).toBeGreaterThan(60);
  expect(named.filter((name) => !listed.has(name) && !listed.has(name.replace(/_(?:bucket|count|sum)$/, '')))).toEqual(
    [],
  );
});
