import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { downloadFile, type DownloadOptions, downloadText } from '../../../infra/engines/download.ts';
import { serve } from '../support/file-server.ts';
import { testFolder } from '../support/folder.ts';

const content = Buffer.from('a program of some length\n'.repeat(5000));
const sha256 = createHash('sha256').update(content).digest('hex');

function options(url: string, changed: Partial<DownloadOptions> = {}): DownloadOptions {
  return { url, file: path.join(testFolder(), 'program'), sha256, maxBytes: 10 * content.length, ...changed };
}

test('downloads a complete file and reports progress', async () => {
  const url = await serve((_request, response) =>
    response.writeHead(200, { 'content-length': content.length }).end(content),
  );
  const seen: [number, number | null][] = [];
  const given = options(url, { onProgress: (bytes, total) => seen.push([bytes, total]) });
  await downloadFile(given);
  expect(readFileSync(given.file).equals(content)).toBe(true);
  expect(seen.at(-1)).toEqual([content.length, content.length]);
});

test('follows redirects and accepts a response without content-length', async () => {
  const url = await serve((request, response) => {
    if (request.url === '/from') response.writeHead(302, { location: '/to' }).end();
    else response.writeHead(200, { 'transfer-encoding': 'chunked' }).end(content);
  });
  const given = options(`${url}/from`);
  await downloadFile(given);
  expect(readFileSync(given.file)).toHaveLength(content.length);
});

test('rejects a wrong checksum and removes the file', async () => {
  const url = await serve((_request, response) => response.end(Buffer.concat([content.subarray(1), Buffer.from('x')])));
  const given = options(url);
  await expect(downloadFile(given)).rejects.toMatchObject({
    code: 'checksum',
    message: expect.stringContaining(`expected ${sha256}`),
  });
  expect(existsSync(given.file)).toBe(false);
});

test('removes the truncated file if the connection breaks', async () => {
  const url = await serve((_request, response) => {
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, 1000), () => response.destroy());
  });
  const given = options(url);
  await expect(downloadFile(given)).rejects.toMatchObject({ code: 'truncated' });
  expect(existsSync(given.file)).toBe(false);
});

test('an error status is named in the message', async () => {
  const url = await serve((_request, response) => response.writeHead(404).end('missing'));
  await expect(downloadFile(options(url))).rejects.toMatchObject({ code: 'status', message: `${url} answers 404` });
});

test.each([
  ['announced', { 'content-length': String(content.length) }],
  ['not announced', { 'transfer-encoding': 'chunked' }],
])('rejects a file that is too large, %s', async (_how, headers) => {
  const url = await serve((_request, response) => response.writeHead(200, headers).end(content));
  const given = options(url, { maxBytes: content.length - 1 });
  await expect(downloadFile(given)).rejects.toMatchObject({ code: 'too-large' });
  expect(existsSync(given.file)).toBe(false);
});

test('times out on a server that never responds', async () => {
  const url = await serve(() => undefined);
  await expect(downloadFile(options(url, { connectTimeoutMs: 150 }))).rejects.toMatchObject({ code: 'unreachable' });
});

test('times out on a server that stops sending, not on a slow one', async () => {
  const url = await serve((request, response) => {
    response.writeHead(200, { 'content-length': content.length });
    if (request.url === '/stalls') {
      response.write(content.subarray(0, 1000));
      return;
    }
    const send = (from: number): void => {
      if (from >= content.length) response.end();
      else response.write(content.subarray(from, from + 5_000), () => setTimeout(send, 120, from + 5_000));
    };
    send(0);
  });
  await expect(downloadFile(options(`${url}/stalls`, { stallTimeoutMs: 200 }))).rejects.toMatchObject({
    code: 'stalled',
  });
  // All of it takes three seconds, each part a small share of the limit.
  await downloadFile(options(`${url}/slow`, { stallTimeoutMs: 2_000 }));
});

test('an abort ends the download and removes the file', async () => {
  const abort = new AbortController();
  const url = await serve((_request, response) => {
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, 1000));
  });
  const given = options(url, { signal: abort.signal, onProgress: () => abort.abort() });
  await expect(downloadFile(given)).rejects.toMatchObject({ code: 'aborted' });
  expect(existsSync(given.file)).toBe(false);
});

test('fails at once if the server is unreachable', async () => {
  await expect(downloadFile(options('http://127.0.0.1:1/x'))).rejects.toMatchObject({
    code: 'unreachable',
    message: expect.stringContaining('is unreachable'),
  });
  await expect(downloadText({ url: 'http://name.invalid/x' })).rejects.toMatchObject({ code: 'unreachable' });
});

test('limits the size of a text', async () => {
  const url = await serve((request, response) =>
    response.end(request.url === '/small' ? 'hash' : Buffer.alloc(2 * 1024 * 1024)),
  );
  expect(await downloadText({ url: `${url}/small` })).toBe('hash');
  await expect(downloadText({ url })).rejects.toMatchObject({ code: 'too-large' });
});
