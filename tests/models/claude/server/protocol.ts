import type { IncomingMessage } from 'node:http';
import { z } from 'zod';

const textBlock = z.strictObject({
  type: z.literal('text'),
  text: z.string().min(1),
  cache_control: z.strictObject({ type: z.literal('ephemeral'), ttl: z.enum(['5m', '1h']).optional() }).nullish(),
});
const content = z.union([z.string().min(1), z.array(textBlock).min(1)]);
const countBody = z.strictObject({
  model: z.string().min(1),
  system: z.union([z.string(), z.array(textBlock)]).optional(),
  messages: z.array(z.strictObject({ role: z.enum(['user', 'assistant']), content })).min(1),
  output_config: z
    .strictObject({
      format: z.strictObject({ type: z.literal('json_schema'), schema: z.record(z.string(), z.unknown()) }),
    })
    .optional(),
  thinking: z.strictObject({ type: z.enum(['disabled', 'between_tools', 'adaptive']) }).optional(),
});
const messageBody = countBody.extend({
  max_tokens: z.int().positive(),
  stream: z.literal(false).optional(),
});
const batchBody = z.strictObject({
  requests: z
    .array(
      z.strictObject({
        custom_id: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/u),
        // Each request is checked separately when it is processed: an invalid one fails alone.
        params: z.unknown(),
      }),
    )
    .min(1)
    .max(100_000),
});

export type CountRequest = z.infer<typeof countBody>;
export type MessagesRequest = z.infer<typeof messageBody>;
export type BatchRequest = z.infer<typeof batchBody>;

/** Rejection of a request. */
export interface Refusal {
  readonly kind: 'error';
  readonly status: number;
  readonly type: string;
  readonly message: string;
}

export type Checked<Body> =
  | { readonly ok: true; readonly body: Body }
  | { readonly ok: false; readonly refusal: Refusal };

const MAX_CACHE_BREAKPOINTS = 4;

export function refusal(status: number, type: string, message: string): Refusal {
  return { kind: 'error', status, type, message };
}

function invalid(message: string): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal: refusal(400, 'invalid_request_error', message) };
}

/**
 * Version and key of any request. The older version of the API takes the key as `x-api-key`, the newer one, which the client speaks
 * since its 1.0, as a bearer token.
 */
export function refusedHeaders(request: IncomingMessage, apiKey: string): Refusal | undefined {
  const version = request.headers['anthropic-version'];
  if (version !== '2023-06-01' && version !== '2026-10-21')
    return refusal(400, 'invalid_request_error', 'unknown anthropic-version');
  const key =
    version === '2023-06-01'
      ? request.headers['x-api-key']
      : /^Bearer (.+)$/u.exec(request.headers.authorization ?? '')?.[1];
  return key === apiKey ? undefined : refusal(401, 'authentication_error', 'invalid API key');
}

export function checkMessage(json: unknown): Checked<MessagesRequest> {
  return checked(messageBody, json);
}

export function checkCount(json: unknown): Checked<CountRequest> {
  return checked(countBody, json);
}

export function checkBatch(json: unknown): Checked<BatchRequest> {
  const body = batchBody.safeParse(json);
  if (!body.success) return invalid(z.prettifyError(body.error));
  const ids = body.data.requests.map(({ custom_id: id }) => id);
  if (new Set(ids).size !== ids.length) return invalid('requests: custom_id must be unique');
  return { ok: true, body: body.data };
}

function checked<Body extends CountRequest>(shape: z.ZodType<Body>, json: unknown): Checked<Body> {
  const body = shape.safeParse(json);
  if (!body.success) return invalid(z.prettifyError(body.error));
  if (breakpointsOf(body.data) > MAX_CACHE_BREAKPOINTS) return invalid('at most 4 blocks may have cache_control');
  if (body.data.messages[0]?.role !== 'user') return invalid('the first message must be of the user');
  const problem = strictnessProblem(body.data.output_config?.format.schema);
  return problem === undefined ? { ok: true, body: body.data } : invalid(problem);
}

function breakpointsOf({ system, messages }: CountRequest): number {
  const blocks = [system ?? [], ...messages.map((message) => message.content)].flatMap((part) =>
    typeof part === 'string' ? [] : part,
  );
  return blocks.filter(({ cache_control: control }) => control !== undefined && control !== null).length;
}

/** Structured output requires closed objects, all properties required, without these keywords. */
function strictnessProblem(schema: unknown): string | undefined {
  if (Array.isArray(schema)) return schema.map(strictnessProblem).find((problem) => problem !== undefined);
  if (schema === null || typeof schema !== 'object') return undefined;
  const node: Readonly<Record<string, unknown>> = { ...schema };
  if (node['type'] === 'object') {
    const properties = node['properties'];
    const names = properties !== null && typeof properties === 'object' ? Object.keys(properties) : [];
    const required = Array.isArray(node['required']) ? node['required'] : [];
    if (node['additionalProperties'] !== false || names.some((name) => !required.includes(name)))
      return 'output_config.format.schema: objects must be closed and all properties required';
  }
  const banned = ['maxLength', 'minLength', 'minimum', 'maximum', 'maxItems'].find(
    (keyword) => typeof node[keyword] === 'number',
  );
  if (banned !== undefined) return `output_config.format.schema: ${banned} is not supported`;
  return strictnessProblem(Object.values(node));
}

/** All text of a request outside `system`: the variable part. */
export function userTextOf({ messages }: CountRequest): string {
  return messages
    .map(({ content }) => (typeof content === 'string' ? content : content.map(({ text }) => text).join('\n')))
    .join('\n');
}

/** Returns true for a repair request. */
export function isRepair(request: CountRequest): boolean {
  return /^\[\d{6} unusable answer\]$/mu.test(userTextOf(request));
}
