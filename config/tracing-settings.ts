import { z } from 'zod';
import type { Fault } from './rules.ts';

const MAX_HEADERS_TEXT = 8_192;
/** A name of HTTP, and a value of printable ASCII without commas. */
const HEADER = /^([A-Za-z0-9!#$%&'*+.^_`|~-]{1,128})=([\x20-\x2b\x2d-\x7e]{1,4096})$/;

/** Returns the headers of a list of NAME=VALUE; null if it is none. Values are decoded, as OpenTelemetry's own list is. */
function headersOf(text: string): Readonly<Record<string, string>> | null {
  const headers: Record<string, string> = {};
  for (const entry of text.split(',').filter((part) => part.trim() !== '')) {
    const [, name, value] = HEADER.exec(entry.trim()) ?? [];
    if (name === undefined || value === undefined) return null;
    try {
      headers[name] = decodeURIComponent(value);
    } catch {
      // `%` without two digits: the text is no such list.
      return null;
    }
  }
  return headers;
}

/** Settings of traces. */
export const tracingEnvironment = {
  RECOLLECT_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'Address of an OpenTelemetry collector (OTLP over HTTP, JSON), such as `http://127.0.0.1:4318`; traces go to its path `/v1/traces`. Unset: nothing is traced',
    ),
  RECOLLECT_OTLP_HEADERS: z
    .string()
    .max(MAX_HEADERS_TEXT)
    .refine((text) => headersOf(text) !== null, { error: 'must be a list of NAME=VALUE separated by commas' })
    .optional()
    .describe(
      'Headers of requests to the collector, such as its key: a list of NAME=VALUE separated by commas, values percent-encoded',
    ),
  RECOLLECT_TRACE_SHARE: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(0.02)
    .describe('Share of requests that are traced; failed ones always are'),
  RECOLLECT_TRACE_SERVICE: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
    .default('recollect')
    .describe('Service name in traces; `-api` or `-worker` is appended'),
};

type Environment = z.output<z.ZodObject<typeof tracingEnvironment>>;

/** Returns the settings of traces; null without a collector. Headers must not be logged. */
export function tracingConfig(env: Environment) {
  const endpoint = env.RECOLLECT_OTLP_ENDPOINT;
  if (endpoint === undefined) return { tracing: null };
  return {
    tracing: {
      url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
      headers: headersOf(env.RECOLLECT_OTLP_HEADERS ?? '') ?? {},
      share: env.RECOLLECT_TRACE_SHARE,
      service: env.RECOLLECT_TRACE_SERVICE,
    },
  };
}

/** Returns the contradictions of the settings of traces. */
export function tracingFaults(env: Environment): Fault[] {
  const url = env.RECOLLECT_OTLP_ENDPOINT;
  if (url === undefined) return [];
  const { username, password, search, hash } = new URL(url);
  return username + password + search + hash === ''
    ? []
    : [
        [
          'RECOLLECT_OTLP_ENDPOINT',
          'must have no user, query or fragment: credentials belong to RECOLLECT_OTLP_HEADERS',
        ],
      ];
}
