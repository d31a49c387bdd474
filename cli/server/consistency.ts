import { z } from 'zod';
import type { ServerClient } from './server-client.ts';

const counts = z.record(z.string(), z.number());
const check = z.object({
  id: z.string(),
  job: z.string().nullable(),
  state: z.string(),
  rows: z.number(),
  found: counts,
  repaired: counts,
  left: z.number(),
  error: z.string().nullable(),
});
export type Check = z.output<typeof check>;

/** Starts a comparison. @throws ClientError */
export function startCheck(client: ServerClient, repair: boolean): Promise<Check> {
  return client.request('POST', '/admin/consistency', check, { repair });
}

/** How far it is. @throws ClientError */
export function readCheck(client: ServerClient, id: string): Promise<Check> {
  return client.request('GET', `/admin/consistency/checks/${encodeURIComponent(id)}`, check);
}
