import { DEFAULT_HOST, DEFAULT_NAMESPACE } from './hosts.ts';
import type { Target } from './target.ts';
import { closeSync, openSync, readSync } from 'node:fs';

/** Returns 16 random bytes from the kernel: loading Node's crypto takes a third of the client's run time. */
function randomBytes(): Buffer | null {
  const bytes = Buffer.allocUnsafe(16);
  let handle: number;
  try {
    handle = openSync('/dev/urandom', 'r');
  } catch {
    return null; // Device does not exist.
  }
  try {
    return readSync(handle, bytes, 0, 16, null) === 16 ? bytes : null;
  } finally {
    closeSync(handle);
  }
}

/** Returns a random UUID (version 4) that identifies a delivery across retries. */
export function newDeliveryId(): string {
  const bytes = randomBytes();
  if (bytes === null) return crypto.randomUUID();
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** One event to deliver. */
export interface HookRequest {
  readonly event: string;
  readonly host: string;
  readonly namespace: string;
  /** Delivery id: duplicates are stored once. */
  readonly delivery: string;
  readonly body: readonly Buffer[];
  /** The event was spooled. */
  readonly fromSpool?: boolean;
}

/** Returns path and query of a hook's route. */
export function pathOf(base: URL, { event, host, namespace }: HookRequest): string {
  const prefix = base.pathname.endsWith('/') ? base.pathname.slice(0, -1) : base.pathname;
  const query = [
    ...(host === DEFAULT_HOST ? [] : [`host=${host}`]),
    ...(namespace === DEFAULT_NAMESPACE ? [] : [`namespace=${encodeURIComponent(namespace)}`]),
  ].join('&');
  return `${prefix}/api/v1/hooks/${event}${query === '' ? '' : `?${query}`}`;
}

export function headersOf({ apiKey }: Target, request: HookRequest): Record<string, string> {
  return {
    Authorization: `Bearer ${apiKey}`,
    'Content-Type': 'application/json',
    'Content-Length': String(request.body.reduce((sum, part) => sum + part.length, 0)),
    'X-Recollect-Delivery': request.delivery,
    ...(request.fromSpool === true ? { 'X-Recollect-Source': 'spool' } : {}),
  };
}
