import type { Calls, Routes } from '../contract/index.ts';
import { trusted } from './trusted.ts';

/** Method and path of a route under /api/v1. */
export type Route = keyof Routes;
export type AnswerOf<Name extends Route> = Routes[Name]['answer'];
export type QueryOf<Name extends Route> = Routes[Name]['query'];

/** Path parameters, query and body of a request, as the route has them. */
export type CallOf<Name extends Route> = Calls[Name];

export interface FieldFault {
  readonly field: string;
  readonly message: string;
}

export interface Failure {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | null;
  readonly fields: readonly FieldFault[];
}

/** An error answer of the api; without an answer, its status is 0 and its code UNREACHABLE. */
export class AskError extends Error {
  override readonly name = 'AskError';
  readonly status: number;
  readonly code: string;
  /** For the log of the server; null without an answer. */
  readonly requestId: string | null;
  readonly fields: readonly FieldFault[];

  constructor(message: string, failure: Failure) {
    super(message);
    this.status = failure.status;
    this.code = failure.code;
    this.requestId = failure.requestId;
    this.fields = failure.fields;
  }

  /** Returns the fault of one field; undefined if it has none. */
  fault(field: string): string | undefined {
    return this.fields.find((fault) => fault.field === field)?.message;
  }
}

/** Returns any error as AskError, so that pages show one shape. */
export function asAskError(error: unknown): AskError {
  if (error instanceof AskError) return error;
  const message = error instanceof Error ? error.message : 'unknown error';
  return new AskError(message, { status: 0, code: 'INTERNAL', requestId: null, fields: [] });
}

const PREFIX = '/api/v1';
let onRefused: () => Promise<boolean> = async () => false;
let onReach: (isReached: boolean) => void = () => undefined;

/** Sets what happens after a 401, which returns whether the user is signed in all the same, and after each request: whether the server answered. */
export function watchAsks(listeners: {
  readonly refused: () => Promise<boolean>;
  readonly reached: (isReached: boolean) => void;
}): void {
  onRefused = listeners.refused;
  onReach = listeners.reached;
}

/** Open routes: their 401 is about what was entered, not about the credential of the page. */
const SIGN_IN = /^\/auth\/(?:browser|login|mfa\/(?:verify|recovery)|passkeys\/(?:options|verify))/;
/** The password or code that was entered is wrong; the credential of the page is not. */
const WRONG_PROOF = 'INVALID_CREDENTIALS';

/** Returns a value as an address contains it. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Returns the address of a route with its parameters, without the origin. */
export function addressOf(
  route: string,
  path: Readonly<Record<string, unknown>> = {},
  query: Readonly<Record<string, unknown>> = {},
): string {
  const name = route.slice(route.indexOf(' ') + 1);
  const filled = name.replaceAll(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(textOf(path[key] ?? '')));
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query))
    if (value !== undefined && value !== null && value !== '') parameters.set(key, textOf(value));
  return `${PREFIX}${filled}${parameters.size === 0 ? '' : `?${parameters.toString()}`}`;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** Returns the error of an answer. */
async function errorOf(response: Response): Promise<AskError> {
  const body = record(await response.json().catch(() => null));
  const details = Array.isArray(body['details']) ? body['details'] : [];
  return new AskError(typeof body['error'] === 'string' ? body['error'] : `the server answered ${response.status}`, {
    status: response.status,
    code: typeof body['code'] === 'string' ? body['code'] : 'UNKNOWN',
    requestId: response.headers.get('x-request-id'),
    fields: details.map(record).map(({ field, message }) => ({ field: String(field), message: String(message) })),
  });
}

/** Returns whether an error is about the credential of the page. */
function isRefusal({ status, code }: AskError, address: string): boolean {
  return status === 401 && code !== WRONG_PROOF && !SIGN_IN.test(address.slice(PREFIX.length));
}

/**
 * Notes what an answer means for the connection and the sign-in, and returns it. `again` sends the request once more: one that was refused, and so did
 * nothing, although the user is signed in. @throws AskError unless it is successful
 */
export async function checked(response: Response, address: string, again?: () => Promise<Response>): Promise<Response> {
  // A proxy answers 502 and 504 for a server that does not run.
  onReach(response.status !== 502 && response.status !== 504);
  if (response.ok) return response;
  const error = await errorOf(response);
  if (isRefusal(error, address) && (await onRefused()) && again !== undefined) return checked(await again(), address);
  throw error;
}

/** Sends a request. @throws AskError UNREACHABLE without an answer */
export async function reach(address: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(address, { credentials: 'same-origin', cache: 'no-store', redirect: 'error', ...init });
  } catch (error) {
    if (init.signal?.aborted !== true) onReach(false);
    const message = error instanceof Error && error.name === 'AbortError' ? 'cancelled' : 'the server does not answer';
    throw new AskError(message, { status: 0, code: 'UNREACHABLE', requestId: null, fields: [] });
  }
}

/** Sends a request of the page; returns its successful answer. @throws AskError */
export async function send(address: string, init: RequestInit): Promise<Response> {
  const attempt = (): Promise<Response> => reach(address, init);
  return checked(await attempt(), address, attempt);
}

/** Requests a route; returns its JSON answer, null if it has none. The answer is trusted: it is of the server that served the page. @throws AskError */
export async function ask<Name extends Route>(
  route: Name,
  call: CallOf<Name>,
  signal?: AbortSignal,
): Promise<AnswerOf<Name>> {
  const { path, query, body } = record(call);
  const response = await send(addressOf(route, record(path), record(query)), {
    method: route.slice(0, route.indexOf(' ')),
    headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
  return trusted(isJson ? await response.json() : null);
}
