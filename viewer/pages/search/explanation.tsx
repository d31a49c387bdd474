import type { JSX } from 'preact';
import type { Memory, SearchAnswer } from '../../contract/index.ts';
import { Text } from '../../parts/quoted.tsx';
import { Table } from '../../parts/table.tsx';
import { inLanguage } from '../../texts/language.ts';
import { texts } from './texts.ts';

type Explain = NonNullable<SearchAnswer['explain']>;
type Understood = NonNullable<Explain['understood']>;

/** Returns what the server understood of a query, as names and values; empty parts are left out. */
function partsOf(understood: Understood, t: ReturnType<typeof inLanguage<(typeof texts)['en']>>): [string, string][] {
  const { time } = understood;
  const range = time === null ? '' : `${time.words.join(', ')} (${time.since ?? '…'} – ${time.until ?? '…'})`;
  const parts: [string, string][] = [
    [t.understood.text, understood.text],
    [t.understood.phrases, understood.phrases.map((phrase) => `"${phrase}"`).join(', ')],
    ...Object.entries(understood.fields).map(([name, value]): [string, string] => [
      name,
      typeof value === 'string' ? value : value.join(', '),
    ]),
    [t.understood.time, range],
    [t.understood.names, understood.names.join(', ')],
    [t.understood.order, understood.newest ? t.understood.newest : ''],
    [t.understood.language, understood.language],
  ];
  return parts.filter(([, value]) => value !== '');
}

const WIDTH = 200;

/** How the query was understood, and how long each stage took. */
export function Explanation({ of }: { readonly of: Explain }): JSX.Element {
  const t = inLanguage(texts);
  const most = Math.max(1, ...of.stages.map(({ took_ms: ms }) => ms));
  return (
    <section class="beside explanation">
      <div>
        <h2>{t.understoodTitle}</h2>
        {of.understood === null ? null : (
          <dl class="understood">
            {partsOf(of.understood, t).map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>
                  <Text text={value} />
                </dd>
              </div>
            ))}
          </dl>
        )}
      </div>
      <Table
        caption={t.stagesTitle}
        columns={[
          { head: t.stage, cell: ({ stage }) => t.stages[stage] },
          { head: 'ms', cell: ({ took_ms: ms }) => ms.toFixed(1), isNumber: true },
          {
            head: t.share,
            cell: ({ took_ms: ms }) => (
              <svg viewBox={`0 0 ${WIDTH} 10`} class="stage-bar" aria-hidden="true" preserveAspectRatio="none">
                <rect class="series-0" width={Math.max(1, (WIDTH * ms) / most)} height="10" />
              </svg>
            ),
          },
        ]}
        rows={of.stages}
        keyOf={({ stage }) => stage}
      />
    </section>
  );
}

/** Score and rank of a result in each stage. */
export function HitExplanation({ of }: { readonly of: NonNullable<Memory['explain']> }): JSX.Element {
  const t = inLanguage(texts);
  const stages = [
    [t.stages.keyword, of.keyword],
    [t.stages.vector, of.vector],
    [t.stages.recency, of.recency],
    [t.stages.fuse, of.fused],
    [t.stages.rerank, of.rerank],
    [t.stages.score, of.scored],
  ] as const;
  return (
    <dl class="scores details">
      {stages.map(([name, stage]) =>
        stage === null ? null : (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{t.scoreAndRank(stage.score.toFixed(3), stage.rank)}</dd>
          </div>
        ),
      )}
    </dl>
  );
}
