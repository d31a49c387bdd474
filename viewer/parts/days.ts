function local(day: string | undefined, time: string): string | undefined {
  if (day === undefined || !/^\d{4}-\d{2}-\d{2}$/.test(day)) return undefined;
  const at = new Date(`${day}T${time}`);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

/** Returns the start of a local day (YYYY-MM-DD) as RFC 3339; undefined for what is no day. */
export function startOfDay(day: string | undefined): string | undefined {
  return local(day, '00:00:00');
}

/** Returns the end of a local day (YYYY-MM-DD) as RFC 3339; undefined for what is no day. */
export function endOfDay(day: string | undefined): string | undefined {
  return local(day, '23:59:59.999');
}
