import type { JSX } from 'preact';
import { useResource } from '../../link/resource.ts';
import { fullCount, usdText } from '../../parts/amounts.ts';
import { Field } from '../../parts/fields.tsx';
import { Pairs } from '../../parts/pairs.tsx';
import { LoadedView } from '../../parts/states.tsx';
import type { StateOf } from '../../router/query.ts';
import { inLanguage } from '../../texts/language.ts';
import { numberIn } from './figures.ts';
import type { FILTERS } from './figures.ts';
import { texts } from './texts.ts';

type Filters = StateOf<typeof FILTERS>;
const INPUTS = ['minutes', 'hourly', 'mtok'] as const;

/** What memories saved, by figures that the user enters; they stay in the address. */
export function Returns(props: {
  readonly range: { readonly since: string; readonly user: string | undefined };
  readonly filters: Filters;
  readonly change: (change: Partial<Filters>, options?: { readonly replace?: boolean }) => void;
}): JSX.Element {
  const t = inLanguage(texts);
  const { range, filters, change } = props;
  const answer = useResource('GET /roi', {
    query: {
      ...range,
      minutes_per_memory: numberIn(filters.minutes),
      hourly_usd: numberIn(filters.hourly),
      usd_per_mtok: numberIn(filters.mtok),
    },
  });
  const isWrong = (text: string | undefined): boolean => text !== undefined && numberIn(text) === undefined;
  const known = (value: number | null, format: (value: number) => string): string =>
    value === null ? t.unknown : format(value);
  return (
    <section class="panel">
      <h2>{t.returns}</h2>
      <p class="muted">{t.returnsHint}</p>
      <div class="filters">
        {INPUTS.map((name) => (
          <Field
            key={name}
            label={t[name]}
            inputMode="numeric"
            maxLength={12}
            value={filters[name] ?? ''}
            fault={
              isWrong(filters[name])
                ? t.notNumber
                : answer.error?.fault(
                    { minutes: 'minutes_per_memory', hourly: 'hourly_usd', mtok: 'usd_per_mtok' }[name],
                  )
            }
            onValue={(value) => change({ [name]: value || undefined }, { replace: true })}
          />
        ))}
      </div>
      <LoadedView of={answer}>
        {({ data, result, formulas }) => {
          const figures: readonly (readonly [string, string])[] = [
            [t.served, fullCount(data.served_memories)],
            [t.used, fullCount(data.used_memories)],
            [t.wrong, fullCount(data.wrong_memories)],
            [t.injected, fullCount(data.injected_tokens)],
            [t.spent, usdText(data.spent_usd)],
            [t.savedTokens, known(result.saved_tokens, fullCount)],
            [t.savedTokensUsd, known(result.saved_tokens_usd, usdText)],
            [t.savedMinutes, known(result.saved_minutes, fullCount)],
            [t.savedTimeUsd, known(result.saved_time_usd, usdText)],
            [t.net, known(result.net_usd, usdText)],
            [t.ratio, known(result.ratio, (ratio) => ratio.toFixed(2))],
          ];
          return (
            <>
              <Pairs of={figures} />
              {data.limited ? <p class="warn">{t.limited}</p> : null}
              <details>
                <summary>{t.formulas}</summary>
                <dl class="formulas">
                  {Object.entries(formulas).map(([name, formula]) => (
                    <div key={name}>
                      <dt>
                        <code>{name}</code>
                      </dt>
                      <dd>{formula}</dd>
                    </div>
                  ))}
                </dl>
              </details>
            </>
          );
        }}
      </LoadedView>
    </section>
  );
}
