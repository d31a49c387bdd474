import { afterEach, beforeAll } from 'vitest';
import { buildClient, makeDataDir, removeDataDir } from './client.ts';

interface Server {
  readonly url: string;
  readonly key: string;
  readonly close?: () => Promise<void>;
}

/**
 * Registers the build of the client for a test file. Returns a function that creates a data directory with the key of a server; after each test
 * its servers are closed, then its directories are removed.
 */
export function fileClient(): (server: Server | null) => string {
  const closing: (() => Promise<void> | void)[] = [];
  beforeAll(() => {
    buildClient();
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  return (server) => {
    const dataDir = makeDataDir(server);
    closing.push(() => removeDataDir(dataDir));
    if (server?.close !== undefined) closing.push(server.close);
    return dataDir;
  };
}
