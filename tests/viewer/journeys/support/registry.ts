import { z } from 'zod';

/** Types of the root do not include the viewer's, which need a browser: the registry is read as data. */
const REGISTRY = new URL('../../../../viewer/pages/registry.ts', import.meta.url).href;
const registrySchema = z.object({ PAGES: z.array(z.object({ path: z.string() })).min(1) });
const rowsSchema = z.object({ data: z.tuple([z.object({ id: z.string() })]) });

/** Returns the JSON answer of a path of the api. */
export type ReadApi = (path: string) => Promise<unknown>;

/** Returns the patterns of all pages of the viewer, in the order of the navigation. */
export async function pagePatterns(): Promise<readonly string[]> {
  const { PAGES } = registrySchema.parse(await import(REGISTRY));
  return PAGES.map(({ path }) => path);
}

/** Returns an address of every page; a page of one object, such as `/sessions/:id`, shows the first one that the api lists. @throws Error without one */
export async function pageAddresses(read: ReadApi): Promise<readonly string[]> {
  const addresses: string[] = [];
  for (const pattern of await pagePatterns()) {
    const [list, parameter] = pattern.split('/:');
    if (parameter === undefined) addresses.push(pattern);
    else {
      const rows = rowsSchema.safeParse(await read(`${list ?? ''}?limit=1`)).data;
      if (rows === undefined) throw new Error(`no object for ${pattern}: the api lists none`);
      addresses.push(`${list ?? ''}/${encodeURIComponent(rows.data[0].id)}`);
    }
  }
  return addresses;
}
