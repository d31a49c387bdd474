import type { JSX } from 'preact';
import { useResource } from '../../link/resource.ts';
import { shortCount, usdText } from '../../parts/amounts.ts';
import { Chart } from '../../parts/chart.tsx';
import { LoadedView } from '../../parts/states.tsx';
import { inLanguage } from '../../texts/language.ts';
import type { Unit } from './figures.ts';
import { texts } from './texts.ts';

const DAYS = 30;

/** What the coming days will use, with the range that covers four of five days. */
export function Forecast(props: { readonly user: string | undefined; readonly unit: Unit }): JSX.Element {
  const t = inLanguage(texts);
  const { user, unit } = props;
  const forecast = useResource('GET /usage/forecast', { query: { days: DAYS, user } });
  const format = unit === 'usd' ? usdText : shortCount;
  return (
    <section class="panel">
      <h2>{t.forecast}</h2>
      <LoadedView of={forecast}>
        {({ days, total, days_observed: observed }) => {
          if (total === null) return <p class="muted">{t.noForecast}</p>;
          const { expected, low, high } = total[unit];
          const hasRange = low !== null && high !== null;
          return (
            <>
              <p>
                <strong>{format(expected)}</strong>
                {hasRange ? ` · ${t.between(format(low), format(high))}` : null}
                {' · '}
                <span class="muted">{t.forecastOf(String(observed))}</span>
              </p>
              <Chart
                caption={t.forecast}
                kind="lines"
                pointsAre={t.day}
                series={hasRange ? [t.expected, t.low, t.high] : [t.expected]}
                points={days.map((day) => {
                  const { expected: each, low: least, high: most } = day[unit];
                  return { label: day.day.slice(5), values: hasRange ? [each, least ?? each, most ?? each] : [each] };
                })}
                format={format}
              />
            </>
          );
        }}
      </LoadedView>
    </section>
  );
}
