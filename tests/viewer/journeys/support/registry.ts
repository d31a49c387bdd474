import { z } from 'zod';

/** Types of the root do not include the viewer's, which need a browser: the registry is read as data. */
const REGISTRY = new URL('../../../../viewer/pages/registry.ts', import.meta.url).href;
const pageSchema = z.object({ path: z.string(), scope: z.string(), forOperators: z.boolean().default(false) });
const registrySchema = z.object({ PAGES: z.array(pageSchema).min(1) });
const rowsSchema = z.object({ data: z.tuple([z.object({ id: z.string() })]) });

/** Returns the JSON answer of a path of the api. */
export type ReadApi = (path: string) => Promise<unknown>;

/** A page of the registry at an address. */
export interface PageAddress {
  readonly address: string;
  /** Offered to users with no other scope than `read`. */
  readonly isForReaders: boolean;
}

/** Returns an address of every page; a page of one object, such as `/sessions/:id`, shows the first one that the api lists. @throws Error without one */
export async function pageAddresses(read: ReadApi): Promise<readonly PageAddress[]> {
  const addresses: PageAddress[] = [];
  const { PAGES } = registrySchema.parse(await import(REGISTRY));
  for (const { path: pattern, scope, forOperators } of PAGES) {
    const isForReaders = scope === 'read' && !forOperators;
    const [list, parameter] = pattern.split('/:');
    if (parameter === undefined) addresses.push({ address: pattern, isForReaders });
    else {
      const rows = rowsSchema.safeParse(await read(`${list ?? ''}?limit=1`)).data;
      if (rows === undefined) throw new Error(`no object for ${pattern}: the api lists none`);
      addresses.push({ address: `${list ?? ''}/${encodeURIComponent(rows.data[0].id)}`, isForReaders });
    }
  }
  return addresses;
}
