import { NotThere, reportsMissing } from './connection.ts';

export interface ObjectSource {
  /** REST address of the server. */
  readonly url: string;
  readonly apiKey: string;
  readonly timeoutSeconds: number;
}

export interface ObjectPage {
  readonly collection: string;
  readonly tenant: string;
  /** Objects after this one; '' for the first page. */
  readonly after: string;
  readonly limit: number;
}

/**
 * Returns a page of a tenant's objects in the order of their ids, from JSON: without the client, whose readers cost more than the server and
 * which truncates times to milliseconds. @throws NotThere, Error without a response
 */
export async function readObjectPage(
  { url, apiKey, timeoutSeconds }: ObjectSource,
  { collection, tenant, after, limit }: ObjectPage,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const address = new URL('v1/objects', url.endsWith('/') ? url : `${url}/`);
  const query = new URLSearchParams({ class: collection, tenant, limit: String(limit), after });
  address.search = query.toString();
  const timeout = AbortSignal.timeout(timeoutSeconds * 1_000);
  const response = await fetch(address, {
    headers: { authorization: `Bearer ${apiKey}` },
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
  });
  const text = await response.text();
  // In words that the connection knows: whatever else is thrown there counts as an outage.
  if (response.status === 404 || (!response.ok && reportsMissing(text))) throw new NotThere('tenant not found');
  if (!response.ok) throw new Error(`reading objects answered ${response.status}`);
  return JSON.parse(text);
}
