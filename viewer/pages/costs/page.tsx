import type { JSX } from 'preact';
import type { Budget, Usage, UsageGroup } from '../../contract/index.ts';
import { me } from '../../link/me.ts';
import { useResource } from '../../link/resource.ts';
import { fullCount, percentText, shortCount, usdText } from '../../parts/amounts.ts';
import { Chart } from '../../parts/chart.tsx';
import { DAY_MS, startOfUtcDay } from '../../parts/days.ts';
import { Choice, Field, FilterField, Select } from '../../parts/fields.tsx';
import { Pairs } from '../../parts/pairs.tsx';
import { Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { Empty, LoadedView } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { durationText } from '../../parts/times.ts';
import { useQuery } from '../../router/router.ts';
import { inLanguage } from '../../texts/language.ts';
import { FILTERS, GROUPS, RANGES, UNITS, amountOf, concernsCosts, dayAt, firstMoment, stacksOf } from './figures.ts';
import type { Unit } from './figures.ts';
import { Forecast } from './forecast.tsx';
import { Returns } from './returns.tsx';
import { texts } from './texts.ts';

const MOST_SERIES = 3;

function BudgetOfToday({ budget, alerts }: { readonly budget: Budget; readonly alerts: Usage['alerts'] }): JSX.Element {
  const t = inLanguage(texts);
  const { quota_tokens: quota, used_tokens: used, reserved_tokens: reserved, share, alert_share: alertShare } = budget;
  return (
    <section class="panel">
      <h2>{t.budget}</h2>
      {share === null ? (
        <p>{t.noQuota}</p>
      ) : (
        <>
          <meter min={0} max={1} high={alertShare} optimum={0} value={Math.min(1, share)} aria-label={t.budget}>
            {percentText(share)}
          </meter>
          <p class={share >= alertShare ? 'warn' : undefined}>
            {percentText(share)} · {t.budgetUsed(shortCount(used + reserved), shortCount(quota))}
          </p>
          <p class="muted">
            <RelativeTime at={budget.resets_at} wrap={t.budgetResets} />
          </p>
        </>
      )}
      {alerts.map(({ day, user, share: reached }) => (
        <p key={`${day} ${user.id}`} class="warn">
          {t.alert(day, user.username, percentText(reached))}
        </p>
      ))}
    </section>
  );
}

function Totals({ usage }: { readonly usage: Usage }): JSX.Element {
  const t = inLanguage(texts);
  const { totals, scope } = usage;
  const figures: readonly (readonly [string, string])[] = [
    [t.usd, usdText(totals.usd)],
    [t.input, fullCount(totals.input_tokens)],
    [t.output, fullCount(totals.output_tokens)],
    [t.calls, fullCount(totals.calls)],
    [t.cacheHits, fullCount(totals.cache_hits)],
    [t.cached, fullCount(totals.tokens_cached)],
    [t.batch, fullCount(totals.tokens_batch)],
  ];
  return (
    <section class="panel">
      <h2>{t.totals}</h2>
      <p class="muted">{scope.user === null ? t.ofTenant : t.ofUser(scope.user.username)}</p>
      <Pairs of={figures} />
    </section>
  );
}

interface Range {
  readonly since: string;
  readonly until?: string;
  readonly user: string | undefined;
}

/** The groups with what each used; sessions and projects are links. */
function Groups(props: {
  readonly by: (typeof GROUPS)[number];
  readonly unit: Unit;
  readonly range: Range;
}): JSX.Element {
  const t = inLanguage(texts);
  const { by, unit, range } = props;
  const usage = useResource('GET /usage', { query: { ...range, group_by: by } }, concernsCosts);
  const link: Partial<Record<typeof by, string>> = { session: '/sessions/', project: '/projects/' };
  const nameOf = ({ key, name }: UsageGroup): JSX.Element => {
    const text = <Text text={name ?? key ?? t.none} />;
    const address = link[by];
    return key === null || address === undefined ? text : <a href={`${address}${encodeURIComponent(key)}`}>{text}</a>;
  };
  return (
    <LoadedView of={usage}>
      {({ groups, totals, more_groups: hasMore }) => {
        const all = unit === 'usd' ? totals.usd : totals.input_tokens + totals.output_tokens;
        return (
          <>
            <Table
              caption={t.groups[by]}
              rows={groups}
              keyOf={({ key }) => key ?? ''}
              columns={[
                { head: t.groups[by], cell: nameOf },
                { head: t.usd, cell: ({ usd }) => usdText(usd), isNumber: true },
                {
                  head: t.share,
                  cell: (group) => (all === 0 ? '–' : percentText(amountOf(group, unit) / all)),
                  isNumber: true,
                },
                { head: t.input, cell: (group) => fullCount(group.input_tokens), isNumber: true },
                { head: t.output, cell: (group) => fullCount(group.output_tokens), isNumber: true },
                { head: t.calls, cell: ({ calls }) => fullCount(calls), isNumber: true },
                { head: t.cacheHits, cell: (group) => fullCount(group.cache_hits), isNumber: true },
                {
                  head: t.latency,
                  cell: ({ latency_ms: ms }) => (ms === null ? '–' : durationText(ms)),
                  isNumber: true,
                },
              ]}
            />
            {hasMore ? <p class="muted">{t.more}</p> : null}
          </>
        );
      }}
    </LoadedView>
  );
}

/** The chart by day, split by the largest groups. */
function Days(props: {
  readonly days: Usage;
  readonly by: (typeof GROUPS)[number] | undefined;
  readonly unit: Unit;
  readonly range: Range;
  readonly onDay: (day: string) => void;
}): JSX.Element {
  const t = inLanguage(texts);
  const { days, by, unit, range, onDay } = props;
  const parts = useResource(
    'GET /usage',
    {
      // Without a split, the answer is that of the days, which the page has.
      query:
        by === undefined ? { ...range, group_by: 'day' } : { ...range, group_by: by, by_day: true, limit: MOST_SERIES },
    },
    concernsCosts,
  );
  const groups = by === undefined ? [] : (parts.data?.groups.filter(({ day }) => day !== null) ?? []);
  const { series, points } = stacksOf(days.groups, groups, unit, t);
  return (
    <Chart
      caption={unit === 'usd' ? t.usdByDay : t.tokensByDay}
      kind="bars"
      pointsAre={t.day}
      series={series}
      points={points}
      format={unit === 'usd' ? usdText : shortCount}
      onPoint={(index) => onDay(dayAt(days.groups, index))}
    />
  );
}

/** What one day was spent on. */
function OneDay(props: { readonly day: string; readonly unit: Unit; readonly user: string | undefined }): JSX.Element {
  const t = inLanguage(texts);
  const { day, unit, user } = props;
  const start = startOfUtcDay(day) ?? 0;
  const range = { since: new Date(start).toISOString(), until: new Date(start + DAY_MS).toISOString(), user };
  return (
    <section class="page">
      <h2>{t.onDay(day)}</h2>
      {(['model', 'provider', 'operation', 'session'] as const).map((by) => (
        <Groups key={by} by={by} unit={unit} range={range} />
      ))}
    </section>
  );
}

/** What models cost: by day and group, with the budget, a forecast and the return. */
export default function CostsPage(): JSX.Element {
  const t = inLanguage(texts);
  const [filters, change] = useQuery(FILTERS);
  const { by, user } = filters;
  const range = { since: firstMoment(Number(filters.days ?? '30'), Date.now()), user };
  const usage = useResource('GET /usage', { query: { ...range, group_by: 'day' } }, concernsCosts);
  // The local model is free: then tokens are of interest.
  const unit = filters.unit ?? (usage.data?.totals.usd === 0 ? 'tokens' : 'usd');
  return (
    <div class="page">
      <h1>{t.title}</h1>
      <search class="filters">
        <Choice
          label={t.range}
          value={filters.days ?? '30'}
          options={RANGES.map((value) => ({ value, text: t.ranges[value] }))}
          onValue={(days) => change({ days: days === '30' ? undefined : days })}
        />
        <Select
          label={t.group}
          any={t.onlyDays}
          value={by}
          options={GROUPS.map((value) => ({ value, text: t.groups[value] }))}
          onValue={(value) => change({ by: value })}
        />
        <Select
          label={t.unit}
          any={t.anyUnit}
          value={filters.unit}
          options={UNITS.map((value) => ({ value, text: t.units[value] }))}
          onValue={(value) => change({ unit: value })}
        />
        <Field
          label={t.onlyDay}
          type="date"
          value={filters.day ?? ''}
          onValue={(day) => change({ day: day || undefined })}
        />
        {me.value?.role === 'admin' ? (
          <FilterField
            label={t.user}
            hint={t.userHint}
            maxLength={256}
            value={user}
            onValue={(name) => change({ user: name }, { replace: true })}
          />
        ) : null}
      </search>
      <LoadedView of={usage}>
        {(days) =>
          days.totals.calls + days.totals.cache_hits === 0 ? (
            <Empty title={t.empty} command="recollect demo">
              <p>{t.emptyHint}</p>
            </Empty>
          ) : (
            <>
              <Days days={days} by={by} unit={unit} range={range} onDay={(day) => change({ day })} />
              {filters.day === undefined ? null : <OneDay day={filters.day} unit={unit} user={user} />}
              {by === undefined ? null : <Groups by={by} unit={unit} range={range} />}
              <div class="panels">
                <Totals usage={days} />
                <BudgetOfToday budget={days.budget} alerts={days.alerts} />
              </div>
            </>
          )
        }
      </LoadedView>
      <Forecast user={user} unit={unit} />
      <Returns range={range} filters={filters} change={change} />
    </div>
  );
}
