import type { IncomingMessage } from 'node:http';

export type Endpoint =
  | 'messages'
  | 'count'
  | 'batch-create'
  | 'batch-list'
  | 'batch-look'
  | 'batch-results'
  | 'batch-cancel';

/** A body that is no JSON is rejected like one without fields. */
export function jsonOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

/** Which call an address means; undefined for none. */
export function routeOf(
  method: string,
  path: string,
): { readonly endpoint: Endpoint; readonly id: string } | undefined {
  const batch = /^\/v1\/messages\/batches(?:\/([\w-]+)(?:\/(results|cancel))?)?$/u.exec(path);
  const id = batch?.[1] ?? '';
  switch (
    `${method} ${batch === null ? path : ['batches', id === '' ? '' : 'id', batch[2] ?? ''].filter((part) => part !== '').join('/')}`
  ) {
    case 'POST /v1/messages':
      return { endpoint: 'messages', id };
    case 'POST /v1/messages/count_tokens':
      return { endpoint: 'count', id };
    case 'POST batches':
      return { endpoint: 'batch-create', id };
    case 'GET batches':
      return { endpoint: 'batch-list', id };
    case 'GET batches/id':
      return { endpoint: 'batch-look', id };
    case 'GET batches/id/results':
      return { endpoint: 'batch-results', id };
    case 'POST batches/id/cancel':
      return { endpoint: 'batch-cancel', id };
    default:
      return undefined;
  }
}

/** Reads the complete body of a request. */
export async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
