import { createServer, request } from 'node:http';
import type { Server } from 'node:http';
import { once } from 'node:events';
import path from 'node:path';
import { mkdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { service } from '../../cli/commands/instance/service.ts';
import type { ServiceSystem } from '../../cli/commands/instance/service.ts';
import { followTranscripts } from '../../cli/import/follow-transcripts.ts';
import { ImportApi } from '../../cli/import/import-api.ts';
import { streamTranscripts } from '../../cli/import/stream-import.ts';
import type { SentFiles } from '../../cli/import/stream-import.ts';
import { testFolder } from '../infra/support/folder.ts';
import { bytesOf, transcriptOf } from '../domain/transcripts/support/from-hooks.ts';
import { fileInstance } from '../setup/file-instance.ts';
import { until } from '../setup/until.ts';
import { freePort } from '../setup/worker-process.ts';
import { hooksOf, sources } from '../transcripts/compare.ts';
import { transcriptFolderOf } from '../transcripts/folder.ts';
import type { TranscriptFolder } from '../transcripts/folder.ts';
import { Home } from './install/support/home.ts';
import { recordOutput } from './support/output.ts';
import { runCli } from './support/run-cli.ts';

const instance = fileInstance({ RECOLLECT_TRANSCRIPT_ROOTS: '/nonexistent' });
let folder: TranscriptFolder;
const proxies: FaultyProxy[] = [];

afterEach(async () => {
  for (const proxy of proxies.splice(0)) await proxy.close();
});

/** Proxy to the server that may be closed or respond itself; reopens on the same port. */
class FaultyProxy {
  readonly requests: { readonly path: string; readonly atMs: number }[] = [];
  /** Returns the status of a failed request; null forwards the request. */
  fails: (url: URL) => number | null = () => null;
  private server: Server | null = null;
  private port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async open(): Promise<this> {
    // Not one that the system gives: nothing else may get it while the proxy is closed.
    if (this.port === 0) this.port = await freePort();
    const server = createServer((incoming, outgoing) => {
      const url = new URL(incoming.url ?? '/', instance.url);
      this.requests.push({ path: url.searchParams.get('path') ?? url.pathname, atMs: performance.now() });
      const status = this.fails(url);
      if (status !== null) {
        incoming.resume();
        outgoing.writeHead(status, { 'content-type': 'application/json' });
        outgoing.end(JSON.stringify({ error: 'made up', code: status === 429 ? 'BUSY' : 'UNKNOWN' }));
        return;
      }
      const passed = request(url, { method: incoming.method, headers: incoming.headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      incoming.pipe(passed);
    });
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.server = server;
    return this;
  }

  async close(): Promise<void> {
    const { server } = this;
    this.server = null;
    if (server === null) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }
}

async function openProxy(): Promise<FaultyProxy> {
  const proxy = await new FaultyProxy().open();
  proxies.push(proxy);
  return proxy;
}

const arrived = (session: string) =>
  until(async () => ((await sources(instance, session))['transcript'] ?? 0) > 50 || undefined, 120_000);

/** Follows with short waits until `done`; returns the exit code and the output. */
async function following(
  proxy: FaultyProxy,
  done: (text: () => string) => Promise<unknown>,
): Promise<{ code: number; text: string; errors: string }> {
  const stop = new AbortController();
  const context = recordOutput();
  const code = followTranscripts(
    {
      api: new ImportApi({ url: proxy.url, apiKey: instance.admin.key }, stop.signal),
      folder: folder.root,
      signal: stop.signal,
      pollMs: 20,
      firstWaitMs: 20,
      longestWaitMs: 80,
    },
    context,
  );
  await Promise.race([done(() => context.text()), code]);
  stop.abort();
  return { code: await code, text: context.text(), errors: context.errors() };
}

describe('following transcripts while the server is unavailable', { timeout: 240_000 }, () => {
  beforeAll(() => {
    folder = transcriptFolderOf();
  });
  afterAll(() => folder.remove());

  test('waits twice as long each time up to a limit, prints one message, and resumes', async () => {
    const proxy = await openProxy();
    folder.write('-src/outage.jsonl', transcriptOf(hooksOf('outage')));
    let failures = 0;
    proxy.fails = () => ((failures += 1) > 10 ? null : failures % 2 === 0 ? 503 : 500);
    const { code, text, errors } = await following(proxy, (soFar) =>
      until(() => Promise.resolve(soFar().includes('accepts transcripts again') || undefined), 120_000),
    );
    expect((await sources(instance, 'outage'))['transcript']).toBeGreaterThan(50);
    expect(code).toBe(130);
    const gaps = proxy.requests.slice(1, 10).map(({ atMs }, index) => atMs - (proxy.requests[index]?.atMs ?? atMs));
    const least = [20, 40, 80, 80, 80, 80, 80, 80, 80];
    expect(gaps.map((gap, index) => gap > (least[index] ?? 0) - 2)).toEqual(least.map(() => true));
    expect(errors.match(/Retrying/g)).toHaveLength(1);
    expect(text).toContain('The server accepts transcripts again.');
    expect(text).toContain('Stopped.');
  });

  test('resumes in the middle of a file, and sends no complete file again', async () => {
    const proxy = await openProxy();
    folder.write('-src/a-first.jsonl', transcriptOf(hooksOf('a-first')), 3 * 86_400_000);
    folder.write('-src/b-second.jsonl', transcriptOf(hooksOf('b-second')));
    let isFirst = true;
    proxy.fails = (url) => {
      if (url.searchParams.get('path') !== '-src/b-second.jsonl' || !isFirst) return null;
      isFirst = false;
      return 503;
    };
    await following(proxy, () => arrived('b-second'));
    const requestsOf = (name: string) =>
      proxy.requests.filter(({ path: given }) => given === `-src/${name}.jsonl`).length;
    // A cursor and a segment each; the second file’s cursor twice.
    expect([requestsOf('a-first'), requestsOf('b-second')]).toEqual([2, 3]);
  });

  test('sends the other files if the server fails on one', async () => {
    const proxy = await openProxy();
    folder.write('-src/c-poison.jsonl', transcriptOf(hooksOf('c-poison')), 9 * 86_400_000);
    folder.write('-src/d-behind.jsonl', transcriptOf(hooksOf('d-behind')));
    proxy.fails = (url) => (url.searchParams.get('path')?.includes('poison') === true ? 500 : null);
    await following(proxy, () => arrived('d-behind'));
    expect(await sources(instance, 'c-poison')).toEqual({});
  });

  test('rejects on a permanent error', async () => {
    const proxy = await openProxy();
    proxy.fails = () => 401;
    await expect(following(proxy, () => new Promise(() => {}))).rejects.toThrow('made up');
  });

  test('a file that is truncated while it is sent ends there, and is sent again', async () => {
    const proxy = await openProxy();
    const file = folder.write('-src/cut.jsonl', transcriptOf(hooksOf('cut')));
    const bytes = readFileSync(file);
    proxy.fails = ({ searchParams }) => {
      // The request for the cursor: the file is open. The rest ends within a line.
      if (searchParams.get('path') === '-src/cut.jsonl' && !searchParams.has('offset')) truncateSync(file, 2_000);
      return null;
    };
    const { signal } = new AbortController();
    const sent: SentFiles = new Map();
    const api = new ImportApi({ url: proxy.url, apiKey: instance.admin.key }, signal);
    const run = () => streamTranscripts({ api, folder: folder.root, signal, onProgress: () => {}, sent });
    await run();
    expect(proxy.requests.filter(({ path: given }) => given === '-src/cut.jsonl')).toHaveLength(2);
    proxy.fails = () => null;
    folder.write('-src/cut.jsonl', bytes);
    await run();
    expect((await sources(instance, 'cut'))['transcript']).toBeGreaterThan(50);
  });

  test('sends no requests for files that the server has', async () => {
    const proxy = await openProxy();
    const { signal } = new AbortController();
    const sent: SentFiles = new Map();
    const api = new ImportApi({ url: proxy.url, apiKey: instance.admin.key }, signal);
    const run = () => streamTranscripts({ api, folder: folder.root, signal, onProgress: () => {}, sent });
    const { files } = await run();
    const sentBefore = proxy.requests.length;
    expect(sentBefore).toBeGreaterThan(files.total - 1);
    expect((await run()).files.unchanged).toBe(files.total);
    expect(proxy.requests).toHaveLength(sentBefore);
    folder.write('-src/e-new.jsonl', transcriptOf(hooksOf('e-new')));
    expect((await run()).files.done).toBe(1);
    expect(proxy.requests).toHaveLength(sentBefore + 2);
  });
});

test(
  'the documented setup with a remote server installs, starts at login, and loses nothing during an outage',
  { timeout: 240_000 },
  async () => {
    const proxy = await openProxy();
    const home = new Home(null);
    // An agent's key: install rejects the operator's.
    const { tenantId } = instance.admin;
    const agent = await instance.db.createUser({ tenantId, scopes: ['capture', 'read'] });
    home.write('key', `${agent.key}\n`, 0o600);
    await home.run('install', 'claude-code', '--server', proxy.url, '--api-key-file', home.path('key'));
    const claude = home.path('.claude');
    const context = recordOutput({ HOME: home.folder, CLAUDE_CONFIG_DIR: claude });
    const system: ServiceSystem = { platform: 'linux', userId: 1, run: () => ({ kind: 'absent' }) };
    service('install', { dataDir: home.path('.recollect'), dryRun: true }, context, system);
    const words = [...(/^ExecStart=(.*)$/m.exec(context.text())?.[1] ?? '').matchAll(/"([^"]*)"/g)].map(
      ([, word]) => word ?? '',
    );
    expect(words).toContain('--follow');
    const run = runCli(words.slice(3), { HOME: testFolder(), RECOLLECT_URL: '', RECOLLECT_API_KEY: '' });
    try {
      // There was no session on this machine before.
      await run.shows('waiting for it');
      await proxy.close();
      const file = path.join(claude, 'projects', '-src', 'outage-end.jsonl');
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, bytesOf(transcriptOf(hooksOf('outage-end'))));
      const longAgo = new Date(Date.now() - 86_400_000);
      utimesSync(file, longAgo, longAgo);
      await run.shows('is unreachable');
      await proxy.open();
      await arrived('outage-end');
    } finally {
      run.child.kill('SIGINT');
    }
    expect((await run.ended).exitCode).toBe(130);
  },
);
