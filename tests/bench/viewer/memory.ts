import type { CDPSession, Page } from 'playwright-core';

export interface PageMemory {
  readonly heapMb: number;
  /** Nodes of the document, texts among them, and those that only scripts refer to. */
  readonly nodes: number;
}

/** Returns a function that measures a page after its garbage is collected. */
export async function memoryOfPage(page: Page): Promise<() => Promise<PageMemory>> {
  const session: CDPSession = await page.context().newCDPSession(page);
  return async () => {
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    const { nodes } = await session.send('Memory.getDOMCounters');
    return { heapMb: usedSize / 1_000_000, nodes };
  };
}
