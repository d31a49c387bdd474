import { DEFAULT_HOST, DEFAULT_NAMESPACE } from './hosts.ts';
import type { Target } from './target.ts';

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
