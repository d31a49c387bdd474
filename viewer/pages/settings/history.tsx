import type { JSX } from 'preact';
import type { InstanceHistory } from '../../contract/index.ts';
import { usePoll } from '../../link/poll.ts';
import { useResource } from '../../link/resource.ts';
import { bytesText, fullCount, usdText } from '../../parts/amounts.ts';
import { Chart } from '../../parts/chart.tsx';
import { Pairs } from '../../parts/pairs.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { LoadedView } from '../../parts/states.tsx';
import { durationText, timeOfDay } from '../../parts/times.ts';
import { inLanguage } from '../../texts/language.ts';
import { texts } from './texts.ts';

type Sample = InstanceHistory['data'][number];

/** A sample is taken every five minutes. */
const RELOAD_MS = 60_000;

const perSecond = (rate: number): string => `${rate.toFixed(1)}/s`;

/** One line or several over the samples; those without values are left out. */
function Line(props: {
  readonly caption: string;
  readonly series: readonly string[];
  readonly samples: readonly Sample[];
  readonly values: (sample: Sample) => readonly number[] | null;
  readonly format: (value: number) => string;
}): JSX.Element {
  const { caption, series, samples, values, format } = props;
  const t = inLanguage(texts);
  const points = samples.flatMap((sample) => {
    const shown = values(sample);
    return shown === null ? [] : [{ label: timeOfDay(sample.at), values: shown }];
  });
  return <Chart caption={caption} kind="lines" series={series} points={points} format={format} pointsAre={t.time} />;
}

/** What the instance did in the last day, as `recollect status --watch` shows it for a moment. For operators. */
export function HistoryView(): JSX.Element {
  const t = inLanguage(texts);
  const history = useResource('GET /stats/history', {});
  usePoll(true, history.reload, RELOAD_MS);
  return (
    <section class="panel">
      <h2>{t.history}</h2>
      <LoadedView of={history}>
        {({ data: samples }) => {
          const last = samples.at(-1);
          if (last === undefined) return <p class="muted">{t.noHistory}</p>;
          const { behind, memory, backup_at: backupAt } = last;
          return (
            <>
              <Pairs
                of={[
                  [t.sampled, <RelativeTime key="at" at={last.at} />],
                  [t.inProgress, fullCount(behind.sessions)],
                  [t.toConsume, fullCount(behind.rows)],
                  [
                    t.machineMemory,
                    t.ofBytes(bytesText(memory.machine_used_bytes), bytesText(memory.machine_limit_bytes)),
                  ],
                  [t.database, bytesText(last.database_bytes)],
                  [t.lastBackup, backupAt === null ? t.never : <RelativeTime key="backup" at={backupAt} />],
                  [t.costToday, usdText(last.usd_today)],
                ]}
              />
              <Line
                caption={t.rates}
                series={[t.captures, t.searches, t.requests]}
                samples={samples}
                values={({ rates }) => rates && [rates.captures, rates.searches, rates.requests]}
                format={perSecond}
              />
              <Line
                caption={t.lag}
                series={[t.lag]}
                samples={samples}
                values={({ behind: { oldest_s: seconds } }) => [seconds * 1_000]}
                format={durationText}
              />
              <Line
                caption={t.queue}
                series={[t.toConsume, t.windows, t.vectors]}
                samples={samples}
                values={({ behind: { rows, windows, vectors } }) => [rows, windows, vectors]}
                format={fullCount}
              />
              <Line
                caption={t.memory}
                series={[t.machine, t.api, t.worker]}
                samples={samples}
                values={({ memory: { machine_used_bytes: used, api_bytes: api, worker_bytes: worker } }) => [
                  used,
                  api ?? 0,
                  worker,
                ]}
                format={bytesText}
              />
              <Line
                caption={t.costOfDay}
                series={[t.costOfDay]}
                samples={samples}
                values={({ usd_today: usd }) => [usd]}
                format={usdText}
              />
            </>
          );
        }}
      </LoadedView>
    </section>
  );
}
