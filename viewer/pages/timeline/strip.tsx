import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { locale } from '../../parts/locale.ts';
import { inLanguage } from '../../texts/language.ts';
import type { Day } from './feed.ts';
import { texts } from './texts.ts';

const STEPS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -7, PageDown: 7 };
/** Height of a day with any item, in percent: one of a few items is visible beside one of thousands. */
const LEAST_PERCENT = 6;

/** The days of the last months with bars for how much happened; a day is chosen by a press, or by the arrow keys and Enter. */
export function Strip(props: {
  readonly days: readonly Day[];
  readonly selected: string | undefined;
  readonly onSelect: (day: string) => void;
}): JSX.Element {
  const { days, selected, onSelect } = props;
  const t = inLanguage(texts);
  const strip = useRef<HTMLDivElement>(null);
  const most = Math.max(1, ...days.map(({ total }) => total));
  const format = new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeZone: 'UTC' });
  const chosen = days.findIndex(({ day }) => day === selected);
  const reachable = chosen === -1 ? days.length - 1 : chosen;
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (step === undefined) return;
    const buttons = [...(strip.current?.querySelectorAll('button') ?? [])];
    const at = buttons.findIndex((button) => button === document.activeElement);
    const next = buttons[Math.max(0, Math.min(buttons.length - 1, at + step))];
    event.preventDefault();
    next?.focus();
  };
  const ends = [days[0], days.at(-1)].flatMap((day) => (day === undefined ? [] : [day.day]));
  return (
    <>
      <div class="strip" ref={strip} role="group" aria-label={t.strip}>
        {days.map(({ day, total }, index) => {
          const name = t.day(format.format(new Date(`${day}T00:00:00Z`)), total);
          return (
            <button
              key={day}
              type="button"
              aria-label={name}
              title={name}
              aria-pressed={day === selected}
              tabIndex={index === reachable ? 0 : -1}
              onClick={() => onSelect(day)}
              onKeyDown={onKeyDown}
            >
              <span
                style={{ height: total === 0 ? '0' : `${Math.max(LEAST_PERCENT, Math.round((total / most) * 100))}%` }}
              />
            </button>
          );
        })}
      </div>
      <p class="strip-ends details">
        {ends.map((day) => (
          <span key={day}>{format.format(new Date(`${day}T00:00:00Z`))}</span>
        ))}
      </p>
    </>
  );
}
