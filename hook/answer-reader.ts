export interface Answer {
  readonly status: number;
  /** True if the response has the api's version header. */
  readonly isApi: boolean;
  readonly body: string;
}

const HEAD_BYTES = 64 * 1024;
const BODY_BYTES = 1024 * 1024;
const HEAD_END = Buffer.from('\r\n\r\n');
/** Header of every api response, including errors and unknown routes. */
export const API_HEADER = 'x-api-version';
const API_VERSION = /^\d{1,4}$/;
const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: |$)/;

interface Head {
  readonly status: number;
  readonly isApi: boolean;
  /** Offset of the body. */
  readonly bodyAt: number;
  readonly length: number | null;
  readonly chunked: boolean;
}

/** Reads one HTTP/1.1 response from a connection. @throws Error for invalid HTTP and oversized responses */
export class AnswerReader {
  private readonly headOnly: boolean;
  private bytes: Buffer = Buffer.alloc(0);
  private head: Head | null = null;

  constructor(headOnly: boolean) {
    this.headOnly = headOnly;
  }

  /** Adds received bytes. Returns the response once complete, or once its head suffices; else null. */
  push(chunk: Buffer): Answer | null {
    this.bytes = this.bytes.length === 0 ? chunk : Buffer.concat([this.bytes, chunk]);
    this.head ??= this.readHead();
    if (this.head === null) return null;
    const { status, isApi } = this.head;
    if (!isApi || (this.headOnly && !hasReason(status))) return { status, isApi, body: '' };
    const body = this.readBody(this.head);
    return body === null ? null : { status, isApi, body: body.toString('utf8') };
  }

  /** Ends the connection. Returns a response without a length; null if it is incomplete. */
  end(): Answer | null {
    if (this.head === null || this.head.chunked || this.head.length !== null) return null;
    const { status, isApi, bodyAt } = this.head;
    return { status, isApi, body: this.bytes.toString('utf8', bodyAt) };
  }

  private readHead(): Head | null {
    for (;;) {
      const end = this.bytes.indexOf(HEAD_END);
      if (end > HEAD_BYTES || (end === -1 && this.bytes.length > HEAD_BYTES)) throw new Error('response head too long');
      if (end === -1) return null;
      const [first = '', ...lines] = this.bytes.toString('latin1', 0, end).split('\r\n');
      const status = Number(STATUS_LINE.exec(first)?.[1] ?? Number.NaN);
      if (Number.isNaN(status)) throw new Error('response is not HTTP/1.1');
      const bodyAt = end + HEAD_END.length;
      if (status >= 200) return { status, bodyAt, ...framing(status, lines) };
      this.bytes = this.bytes.subarray(bodyAt); // An interim response; the final one follows.
    }
  }

  private readBody({ bodyAt, length, chunked }: Head): Buffer | null {
    if (this.bytes.length - bodyAt > BODY_BYTES) throw new Error('response too long');
    if (chunked) return readChunks(this.bytes, bodyAt);
    if (length === null || this.bytes.length < bodyAt + length) return null;
    return this.bytes.subarray(bodyAt, bodyAt + length);
  }
}

/** Returns true if the body has the reason of a rejection. */
function hasReason(status: number): boolean {
  return status >= 400 && status < 500;
}

/** Returns true for a valid value of `API_HEADER`. */
export function isApiVersion(value: unknown): boolean {
  return typeof value === 'string' && API_VERSION.test(value);
}

function framing(status: number, lines: readonly string[]): Pick<Head, 'isApi' | 'length' | 'chunked'> {
  let length: number | null = null;
  let chunked = false;
  let isApi = false;
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === API_HEADER) isApi = isApiVersion(value);
    if (name === 'transfer-encoding' && /\bchunked$/i.test(value)) chunked = true;
    if (name === 'content-length') {
      if (!/^\d{1,12}$/.test(value)) throw new Error('invalid Content-Length');
      length = Number(value);
    }
  }
  if (status === 204 || status === 304) return { isApi, length: 0, chunked: false };
  if (chunked) return { isApi, length: null, chunked };
  if (length !== null && length > BODY_BYTES) throw new Error('response too long');
  return { isApi, length, chunked };
}

/** Returns a decoded chunked body; null while incomplete. */
function readChunks(bytes: Buffer, from: number): Buffer | null {
  const parts: Buffer[] = [];
  let at = from;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at, 'latin1');
    if (lineEnd === -1) return null;
    const size = /^([0-9a-f]{1,8})[ \t]*(?:;|$)/i.exec(bytes.toString('latin1', at, lineEnd))?.[1];
    if (size === undefined) throw new Error('invalid chunked encoding');
    const length = Number.parseInt(size, 16);
    if (length === 0) return Buffer.concat(parts);
    const start = lineEnd + 2;
    if (bytes.length < start + length + 2) return null;
    parts.push(bytes.subarray(start, start + length));
    at = start + length + 2;
  }
}
