type Fields = Readonly<Record<string, unknown>>;

/** Limit of a row's extra fields; those beyond it are omitted. */
export const EXTRA_BYTES = 16 * 1024;

/** Returns the fields of a payload whose names are not in `used`; null if there are none. */
export function extraFields(payload: Fields, used: ReadonlySet<string>): Fields | null {
  let extra: [string, unknown][] | null = null;
  // Runs for every tool call: most payloads have nothing extra, and then nothing is built.
  for (const name of Object.keys(payload)) {
    if (used.has(name) || payload[name] === undefined) continue;
    extra ??= [];
    extra.push([name, payload[name]]);
  }
  return extra === null ? null : Object.fromEntries(extra);
}

/**
 * Bounds redacted fields: in order, while they fit into EXTRA_BYTES as JSON; the names of the others go to `omitted_fields` as far as
 * they fit.
 */
export function boundedExtra(extra: Fields): Fields {
  const included: [string, unknown][] = [];
  const omitted: string[] = [];
  let bytes = 0;
  for (const [name, value] of Object.entries(extra)) {
    const size = Buffer.byteLength(JSON.stringify([name, value]), 'utf8');
    if (bytes + size > EXTRA_BYTES) {
      omitted.push(name);
      continue;
    }
    bytes += size;
    included.push([name, value]);
  }
  if (omitted.length > 0)
    included.push(['omitted_fields', omitted.slice(0, 20).map((name) => name.slice(0, 64).toWellFormed())]);
  return Object.fromEntries(included);
}
