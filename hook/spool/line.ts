/** One event of the spool. */
export interface SpoolLine {
  readonly v: 1;
  readonly delivery: string;
  readonly event: string;
  readonly host: string;
  readonly namespace: string;
  /** When it was written, by the client's clock. The order of the file is the order that counts. */
  readonly at: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Limit of a line in bytes: the client writes only shorter ones. */
export const LINE_BYTES = 1024 * 1024;

const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const DELIVERY = /^[0-9a-f-]{36}$/;

/**
 * Returns a line with a line break before and after it: if the previous writer was killed or the disk was full in the middle of a line, that half
 * line ends here and does not damage this one.
 */
export function formatLine(line: SpoolLine): Buffer {
  return Buffer.from(`\n${JSON.stringify(line)}\n`, 'utf8');
}

/** Parses one line. A half-written one is never complete JSON. @throws Error that names the fault without quoting the line */
export function parseLine(text: string): SpoolLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('half-written');
  }
  if (value === null || typeof value !== 'object') throw new Error('no object');
  const fields: Readonly<Record<string, unknown>> = { ...value };
  const { v, delivery, event, host, namespace, at, body } = fields;
  if (v !== 1) throw new Error('another version');
  if (typeof delivery !== 'string' || !DELIVERY.test(delivery)) throw new Error('no delivery id');
  if (typeof event !== 'string' || !NAME.test(event)) throw new Error('no event');
  if (typeof host !== 'string' || !NAME.test(host)) throw new Error('no host');
  if (body === null || typeof body !== 'object' || Array.isArray(body)) throw new Error('no body');
  if (typeof namespace !== 'string' || namespace === '') throw new Error('no namespace');
  return { v, delivery, event, host, namespace, at: typeof at === 'string' ? at : '', body: { ...body } };
}
