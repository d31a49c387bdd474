import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DashboardBuilder, DatasourceVariableBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Dashboard as GrafanaDashboard, Panel as GrafanaPanel } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type { Dashboard, Panel } from './dashboards/dashboard.ts';
import { DASHBOARDS } from './dashboards/index.ts';

/** Folder of the built dashboards. */
export const GRAFANA_FOLDER = path.join(import.meta.dirname, 'grafana');

/** Columns of a row of panels; Grafana has 24. */
const PANEL_COLUMNS = 8;
const PANEL_ROWS = 8;
/** The data source is chosen in the dashboard. */
const SOURCE = { type: 'prometheus', uid: '${source}' };

function panelOf({ title, unit, queries, kind, mayBeEmpty }: Panel): Builder<GrafanaPanel> {
  const builder = kind === 'stat' ? new StatBuilder() : new TimeseriesBuilder();
  builder.title(title).unit(unit).datasource(SOURCE).span(PANEL_COLUMNS).height(PANEL_ROWS);
  if (mayBeEmpty !== undefined) builder.noValue(mayBeEmpty);
  queries.forEach(({ expr, legend }, index) => {
    const query = new DataqueryBuilder().expr(expr).refId(String.fromCharCode('A'.charCodeAt(0) + index));
    builder.withTarget(legend === '' ? query : query.legendFormat(legend));
  });
  return builder;
}

/** Returns a dashboard in the format of Grafana. */
export function buildDashboard({ name, title, description, rows }: Dashboard): GrafanaDashboard {
  const builder = new DashboardBuilder(title)
    .uid(`recollect-${name}`)
    .description(description)
    .tags(['recollect'])
    .refresh('30s')
    .time({ from: 'now-6h', to: 'now' })
    .timezone('browser')
    .withVariable(new DatasourceVariableBuilder('source').label('Prometheus').type('prometheus'));
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title));
    for (const panel of row.panels) builder.withPanel(panelOf(panel));
  }
  return builder.build();
}

/** Returns the text of each built dashboard by its file name. */
export function builtDashboards(): ReadonlyMap<string, string> {
  return new Map(
    DASHBOARDS.map((dashboard) => [
      `${dashboard.name}.json`,
      `${JSON.stringify(buildDashboard(dashboard), null, 2)}\n`,
    ]),
  );
}

if (import.meta.main) {
  mkdirSync(GRAFANA_FOLDER, { recursive: true });
  const built = builtDashboards();
  for (const file of readdirSync(GRAFANA_FOLDER)) if (!built.has(file)) rmSync(path.join(GRAFANA_FOLDER, file));
  for (const [file, text] of built) writeFileSync(path.join(GRAFANA_FOLDER, file), text);
}
