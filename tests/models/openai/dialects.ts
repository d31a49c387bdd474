import { z } from 'zod';

export const DIALECTS = ['openai', 'gemini', 'ollama', 'lm-studio', 'vllm', 'old-vllm', 'openrouter'] as const;
export type Dialect = (typeof DIALECTS)[number];

/** A response of a server: its status, headers and body. */
export interface PlayedResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export type FaultKind = 'wrong-key' | 'rate-limit' | 'overloaded' | 'context' | 'no-model' | 'no-quota' | 'bad-request';

const STATUS: Readonly<Record<FaultKind, number>> = {
  'wrong-key': 401,
  'rate-limit': 429,
  overloaded: 503,
  context: 400,
  'no-model': 404,
  'no-quota': 429,
  'bad-request': 400,
};
const TYPE: Readonly<Record<FaultKind, string>> = {
  'wrong-key': 'invalid_request_error',
  'rate-limit': 'requests',
  overloaded: 'server_error',
  context: 'invalid_request_error',
  'no-model': 'invalid_request_error',
  'no-quota': 'insufficient_quota',
  'bad-request': 'invalid_request_error',
};
const CODE: Readonly<Record<FaultKind, string | null>> = {
  'wrong-key': 'invalid_api_key',
  'rate-limit': 'rate_limit_exceeded',
  overloaded: null,
  context: 'context_length_exceeded',
  'no-model': 'model_not_found',
  'no-quota': 'insufficient_quota',
  'bad-request': null,
};
const GEMINI_STATUS: Readonly<Record<FaultKind, string>> = {
  'wrong-key': 'INVALID_ARGUMENT',
  'rate-limit': 'RESOURCE_EXHAUSTED',
  overloaded: 'UNAVAILABLE',
  context: 'INVALID_ARGUMENT',
  'no-model': 'NOT_FOUND',
  'no-quota': 'FAILED_PRECONDITION',
  'bad-request': 'INVALID_ARGUMENT',
};
const TEXT: Readonly<Record<FaultKind, string>> = {
  'wrong-key': 'Incorrect API key provided',
  'rate-limit': 'Too many requests',
  overloaded: 'The server is overloaded',
  context: "This model's maximum context length is 4096 tokens, but the request has 6123 tokens",
  'no-model': 'The model does not exist',
  'no-quota': 'You exceeded your current quota',
  'bad-request': 'The request has a field that is not supported',
};
/** A quota in Gemini's and OpenRouter's dialects is one of the account. */
const OTHER_STATUS: Partial<Record<FaultKind, number>> = { 'no-quota': 402 };
const GEMINI_KEY = {
  status: 400,
  details: [
    { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID', domain: 'googleapis.com' },
    { '@type': 'type.googleapis.com/google.rpc.LocalizedMessage', locale: 'en-US', message: 'API key not valid.' },
  ],
};

/** Returns how a server of the dialect reports a fault. `quoted` is part of its text, as servers repeat requests in their texts. */
export function faultOf(dialect: Dialect, kind: FaultKind, quoted: string): PlayedResponse {
  const status = STATUS[kind];
  const message = `${TEXT[kind]}: ${quoted}`;
  const headers = kind === 'rate-limit' ? { 'retry-after': '7' } : {};
  switch (dialect) {
    case 'openai':
    case 'vllm':
      return { status, headers, body: { error: { message, type: TYPE[kind], param: null, code: CODE[kind] } } };
    case 'ollama':
      // No quotas: it is the user's machine.
      return {
        status: OTHER_STATUS[kind] ?? status,
        headers,
        body: { error: { message, type: 'api_error', code: null } },
      };
    case 'gemini': {
      const key = kind === 'wrong-key' ? GEMINI_KEY : null;
      const code = key?.status ?? OTHER_STATUS[kind] ?? status;
      const details = key === null ? {} : { details: key.details };
      return { status: code, headers, body: [{ error: { code, message, status: GEMINI_STATUS[kind], ...details } }] };
    }
    case 'lm-studio':
      return { status: OTHER_STATUS[kind] ?? status, headers, body: { error: message } };
    case 'old-vllm': {
      const code = OTHER_STATUS[kind] ?? status;
      return { status: code, headers, body: { object: 'error', message, type: 'BadRequestError', param: null, code } };
    }
    case 'openrouter':
      return { status: 200, headers, body: { error: { code: OTHER_STATUS[kind] ?? status, message } } };
  }
}

const common = {
  model: z.string().min(1),
  messages: z.tuple([
    z.strictObject({ role: z.literal('system'), content: z.string().min(1) }),
    z.strictObject({ role: z.literal('user'), content: z.string().min(1) }),
  ]),
  max_tokens: z.int().positive().optional(),
  max_completion_tokens: z.int().positive().optional(),
  temperature: z.number().min(0).max(2).optional(),
  // LM Studio rejects `json_object`.
  response_format: z.strictObject({
    type: z.literal('json_schema'),
    json_schema: z.strictObject({
      name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/u),
      strict: z.literal(true),
      schema: z.record(z.string(), z.unknown()),
    }),
  }),
};
/** Gemini rejects unknown fields; no dialect may get one. */
export const completionRequest = z.strictObject(common);
export type CompletionRequest = z.infer<typeof completionRequest>;

/** Returns the usage as a server of the dialect states it; undefined for one that states none. */
export function usageOf(dialect: Dialect, prompt: number, completion: number): object | undefined {
  const counts = { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
  switch (dialect) {
    case 'openai':
    case 'openrouter':
      return { ...counts, prompt_tokens_details: { cached_tokens: Math.floor(prompt / 2) } };
    case 'vllm':
      return { ...counts, prompt_tokens_details: null };
    case 'lm-studio':
      return undefined;
    case 'gemini':
    case 'ollama':
    case 'old-vllm':
      return counts;
  }
}

/** Keywords that some dialects reject or ignore. */
const BOUNDS = [
  '$ref',
  '$defs',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'format',
  'pattern',
];

/** Why a schema is not one that every dialect accepts: open objects, optional properties, values without type, references, bounds and formats. Empty for a good one. */
export function schemaFaults(schema: unknown, place = ''): readonly string[] {
  if (Array.isArray(schema)) return schema.flatMap((part, n) => schemaFaults(part, `${place}/${n}`));
  if (typeof schema !== 'object' || schema === null) return [];
  const fields = new Map<string, unknown>(Object.entries(schema));
  const faults = BOUNDS.filter((name) => fields.has(name) && !place.endsWith('/properties')).map(
    (name) => `${place} has ${name}`,
  );
  if (fields.has('enum') && !fields.has('type')) faults.push(`${place} has no type`);
  const properties = fields.get('properties');
  if (fields.get('type') === 'object' && typeof properties === 'object' && properties !== null) {
    const required = fields.get('required');
    if (fields.get('additionalProperties') !== false) faults.push(`${place} is open`);
    if (!Array.isArray(required) || required.length !== Object.keys(properties).length)
      faults.push(`${place} has optional properties`);
  }
  return [...faults, ...[...fields].flatMap(([name, part]) => schemaFaults(part, `${place}/${name}`))];
}
