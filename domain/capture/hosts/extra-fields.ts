type Fields = Readonly<Record<string, unknown>>;

/** More than this of what a host sends beside what is known is noise: it is left out by field. */
export const EXTRA_BYTES = 16 * 1024;

/** The fields of a payload whose names are not among those told elsewhere; null when none is left. */
export function extraFields(payload: Fields, told: ReadonlySet<string>): Fields | null {
  let extra: [string, unknown][] | null = null;
  // Most payloads have nothing extra, and then nothing is built: this runs for every tool call.
  for (const name of Object.keys(payload)) {
    if (told.has(name) || payload[name] === undefined) continue;
    extra ??= [];
    extra.push([name, payload[name]]);
  }
  return extra === null ? null : Object.fromEntries(extra);
}

/**
 * Bounds fields that were redacted already: kept in their order while they fit into EXTRA_BYTES as JSON; the names of the others stand
 * in `omitted_fields` as far as there is room.
 */
export function boundedExtra(extra: Fields): Fields {
  const kept: [string, unknown][] = [];
  const omitted: string[] = [];
  let bytes = 0;
  for (const [name, value] of Object.entries(extra)) {
    const size = Buffer.byteLength(JSON.stringify([name, value]), 'utf8');
    if (bytes + size > EXTRA_BYTES) {
      omitted.push(name);
      continue;
    }
    bytes += size;
    kept.push([name, value]);
  }
  if (omitted.length > 0)
    kept.push(['omitted_fields', omitted.slice(0, 20).map((name) => name.slice(0, 64).toWellFormed())]);
  return Object.fromEntries(kept);
}
