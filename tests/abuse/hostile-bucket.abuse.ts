import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { expect, test } from 'vitest';
import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import { readJournals } from '../../stores/archive/journal.ts';
import { createS3Archive } from '../../stores/archive/s3.ts';
import { recordFigure } from './record-figure.ts';

const NOTHING = { isTrusted: () => false, heads: [], own: [] };

interface HostileBucket {
  readonly store: ArchiveStore;
  readonly requests: () => number;
  close(): Promise<void>;
}

/** Starts an S3 server with arbitrary listings and objects. */
async function hostileBucket(
  list: (page: number) => readonly { readonly key: string; readonly bytes: number }[],
  object: (key: string) => { readonly bytes: Buffer; readonly times: number },
): Promise<HostileBucket> {
  let [requests, pages] = [0, 0];
  const server: Server = createServer((request, response) => {
    requests += 1;
    const url = new URL(request.url ?? '/', 'http://bucket');
    if (url.searchParams.get('list-type') === '2') {
      const contents = list((pages += 1))
        .map(({ key, bytes }) => `<Contents><Key>${key}</Key><Size>${bytes}</Size></Contents>`)
        .join('');
      response.setHeader('content-type', 'application/xml');
      response.end(
        `<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>${pages}</NextContinuationToken>${contents}</ListBucketResult>`,
      );
      return;
    }
    const { bytes, times } = object(url.pathname.replace('/bucket/', ''));
    let left = times;
    const more = (): void => {
      while (left > 0 && !response.destroyed) {
        left -= 1;
        if (!response.write(bytes)) {
          response.once('drain', more);
          return;
        }
      }
      response.end();
    };
    more();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    store: createS3Archive({
      bucket: 'bucket',
      prefix: '',
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    }),
    requests: () => requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

test('stops reading a bucket with endless listings, an object under every key, and endless objects', async () => {
  const junk = Buffer.from('{"kind": "tenant"}');
  const bucket = await hostileBucket(
    (page) => Array.from({ length: 1_000 }, (_, at) => ({ key: `erasures/${page}/${at}.json`, bytes: 10 })),
    (key) =>
      // One object in a hundred never ends.
      key.endsWith('00.json') ? { bytes: Buffer.alloc(65_536, '{'), times: 1e9 } : { bytes: junk, times: 1 },
  );
  try {
    // The head states ten entries.
    const head = { journal: randomUUID(), entries: 10, last: '0'.repeat(64) };
    const { erasures, account } = await readJournals({ ...NOTHING, stores: [bucket.store], heads: [head] });
    expect(erasures).toEqual([]);
    expect(account.faults).toMatchObject({ unlisted: 1, missing: 10 });
    recordFigure('hostile_bucket_requests', bucket.requests());
    expect(bucket.requests()).toBeLessThan(3_000);
  } finally {
    await bucket.close();
  }
});

test('stops reading a bucket with endless empty pages', async () => {
  const bucket = await hostileBucket(
    () => [],
    () => ({ bytes: Buffer.from('{}'), times: 1 }),
  );
  try {
    await expect(readJournals({ ...NOTHING, stores: [bucket.store] })).rejects.toMatchObject({ kind: 'unavailable' });
  } finally {
    await bucket.close();
  }
});
