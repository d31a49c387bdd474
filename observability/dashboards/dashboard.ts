/** Units of axes, by Grafana's names. */
export type Unit = 'short' | 's' | 'bytes' | 'percentunit' | 'reqps' | 'currencyUSD' | 'dateTimeFromNow';

/** A query of a panel. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** stat: the latest value; default: a graph over time. */
  readonly kind?: 'stat';
  /** Why a query of a working instance may have no series. */
  readonly mayBeEmpty?: string;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Dashboard {
  /** Name of the file, and part of the id. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly rows: readonly Row[];
}

/** Returns a panel over time with one query. */
export function graph(title: string, unit: Unit, expr: string, legend: string): Panel {
  return { title, unit, queries: [{ expr, legend }] };
}

/** Returns a panel of the latest value. */
export function stat(title: string, unit: Unit, expr: string): Panel {
  return { title, unit, queries: [{ expr, legend: '' }], kind: 'stat' };
}

/** Returns a panel of three quantiles of a histogram; `by`: further labels. */
export function quantiles(title: string, histogram: string, by?: string): Panel {
  const labels = by === undefined ? 'le' : `${by}, le`;
  const legend = by === undefined ? '' : `{{${by}}} `;
  const shares = by === undefined ? ['0.5', '0.95', '0.99'] : ['0.99'];
  return {
    title,
    unit: 's',
    queries: shares.map((share) => ({
      expr: `histogram_quantile(${share}, sum by (${labels}) (rate(${histogram}[5m])))`,
      legend: `${legend}p${Number(share) * 100}`,
    })),
  };
}

/** Returns a panel whose queries may have no series, with the reason. */
export function orEmpty(panel: Panel, mayBeEmpty: string): Panel {
  return { ...panel, mayBeEmpty };
}
