import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { common } from '../texts/common.ts';
import { inLanguage } from '../texts/language.ts';
import { ticksTo } from './chart-scale.ts';
import type { ChartPoint } from './chart-scale.ts';
import { Table } from './table.tsx';

const WIDTH = 640;
const HEIGHT = 200;
const LEFT = 56;
const BOTTOM = 22;
const TOP = 8;
const MOST_LABELS = 8;

/** A chart of bars, stacked by series, or of lines, with a table that contains the same. */
export function Chart(props: {
  readonly caption: string;
  readonly kind: 'bars' | 'lines';
  readonly series: readonly string[];
  readonly points: readonly ChartPoint[];
  readonly format: (value: number) => string;
  /** What the points are, such as days: head of the table; default: the caption. */
  readonly pointsAre?: string;
  /** A press of a bar, with its index; offer the same by keyboard elsewhere. */
  readonly onPoint?: (index: number) => void;
}): JSX.Element {
  const { caption, kind, series, points, format, onPoint } = props;
  const t = inLanguage(common);
  const [isTable, setIsTable] = useState(false);
  const most = Math.max(
    0,
    ...points.map(({ values }) =>
      kind === 'bars' ? values.reduce((sum, value) => sum + value, 0) : Math.max(...values),
    ),
  );
  const ticks = ticksTo(most);
  const top = ticks.at(-1) ?? 1;
  const y = (value: number): number => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
  const slot = (WIDTH - LEFT) / Math.max(1, points.length);
  const x = (index: number): number => LEFT + slot * (index + 0.5);
  const every = Math.ceil(points.length / MOST_LABELS);
  return (
    <figure class="chart">
      <figcaption class="line">
        {caption}
        <button type="button" class="quiet" onClick={() => setIsTable(!isTable)}>
          {isTable ? t.asChart : t.asTable}
        </button>
      </figcaption>
      {isTable ? (
        <Table
          caption={caption}
          columns={[
            { head: props.pointsAre ?? caption, cell: ({ label }: ChartPoint) => label },
            ...series.map((head, index) => ({
              head,
              cell: ({ values }: ChartPoint) => format(values[index] ?? 0),
              isNumber: true,
            })),
          ]}
          rows={points}
          keyOf={({ label }) => label}
        />
      ) : (
        <>
          <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={caption}>
            {ticks.map((tick) => (
              <g key={tick} class="tick">
                <line x1={LEFT} x2={WIDTH} y1={y(tick)} y2={y(tick)} />
                <text x={LEFT - 6} y={y(tick) + 4} text-anchor="end">
                  {format(tick)}
                </text>
              </g>
            ))}
            {points.map(({ label, values }, index) =>
              kind === 'lines' ? null : (
                // oxlint-disable-next-line jsx-a11y/no-static-element-interactions, jsx-a11y/click-events-have-key-events -- a field offers the same
                <g key={label} {...(onPoint === undefined ? {} : { class: 'choice', onClick: () => onPoint(index) })}>
                  <title>{`${label}: ${values.map((value, at) => `${series[at] ?? ''} ${format(value)}`).join(', ')}`}</title>
                  {/* A day of little use has a bar that is hard to press. */}
                  <rect class="hit" x={x(index) - slot / 2} width={slot} y={TOP} height={HEIGHT - TOP - BOTTOM} />
                  {values.map((value, at) => {
                    const below = values.slice(0, at).reduce((sum, each) => sum + each, 0);
                    const height = y(below) - y(below + value);
                    return (
                      <rect
                        key={series[at]}
                        class={`series-${at % 4}`}
                        x={x(index) - slot * 0.4}
                        width={slot * 0.8}
                        y={y(below + value)}
                        height={Math.max(0, height)}
                      />
                    );
                  })}
                </g>
              ),
            )}
            {kind === 'bars'
              ? null
              : series.map((name, at) => (
                  <polyline
                    key={name}
                    class={`series-${at % 4}`}
                    points={points.map(({ values }, index) => `${x(index)},${y(values[at] ?? 0)}`).join(' ')}
                  >
                    <title>{name}</title>
                  </polyline>
                ))}
            {points.map(({ label }, index) =>
              index % every === 0 ? (
                <text key={label} x={x(index)} y={HEIGHT - 6} text-anchor="middle">
                  {label}
                </text>
              ) : null,
            )}
          </svg>
          {series.length < 2 ? null : (
            <ul class="legend">
              {series.map((name, at) => (
                <li key={name} class={`series-${at % 4}`}>
                  {name}
                </li>
              ))}
            </ul>
          )}
        </>
      )}
    </figure>
  );
}
