const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** `for: 2m`, `[5m]` and `offset 5m`; numbers of seconds in expressions, such as `13 * 3600`, are no durations. */
const DURATION = /(for: |\[|offset )(\d+)([smhd])\b/g;

/** Returns rules whose durations are divided by a number; the expressions are otherwise unchanged. */
export function shortened(rules: string, divisor: number): string {
  return rules.replace(
    DURATION,
    (_all, before: string, count: string, unit: string) =>
      `${before}${Math.round((Number(count) * (UNITS_MS[unit] ?? Number.NaN)) / divisor)}ms`,
  );
}

/** Alerts of a priority with the time in ms that their expression must be true. */
export function alertsOf(rules: string, priority: string): ReadonlyMap<string, number> {
  const alerts = rules.split(/^ {6}- /m).filter((rule) => rule.includes(`priority: ${priority}\n`));
  return new Map(
    alerts.map((rule) => {
      const name = /^alert: (\S+)$/m.exec(rule)?.[1] ?? '';
      const [, count = '0', unit = 's'] = /^ +for: (\d+)(\w+)$/m.exec(rule) ?? [];
      return [name, Number(count) * (unit === 'ms' ? 1 : (UNITS_MS[unit] ?? Number.NaN))];
    }),
  );
}
