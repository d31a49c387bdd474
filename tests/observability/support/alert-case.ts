/** A sequence of samples that a rule is evaluated on. */
export interface AlertCase {
  readonly alert: string;
  /** What is played. */
  readonly plays: string;
  /** Series in promtool's notation: `0x5 1x10` is six times 0, then eleven times 1. */
  readonly series: Readonly<Record<string, string>>;
  /** When the alert is looked up, since the first sample. */
  readonly at: string;
  /** Time between two samples; default 1m. */
  readonly interval?: string;
  readonly fires: boolean;
}

/** Returns a case in which the alert fires. */
export function fires(
  alert: string,
  plays: string,
  at: string,
  series: AlertCase['series'],
  interval?: string,
): AlertCase {
  return { alert, plays, at, series, fires: true, ...(interval === undefined ? {} : { interval }) };
}

/** Returns a case in which the alert does not fire. */
export function silent(...given: Parameters<typeof fires>): AlertCase {
  return { ...fires(...given), fires: false };
}

/** Returns promtool's test of a case. The alert's series of Prometheus is queried, so that labels and texts are not repeated. */
export function promtoolTest({ alert, plays, series, at, interval = '1m', fires: isFiring }: AlertCase) {
  return {
    name: `${alert}: ${plays}`,
    interval,
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    promql_expr_test: [
      {
        expr: `sum(clamp_max(ALERTS{alertname="${alert}",alertstate="firing"}, 1)) > bool 0 or vector(0)`,
        eval_time: at,
        exp_samples: [{ labels: '{}', value: isFiring ? 1 : 0 }],
      },
    ],
  };
}
