import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { processEnvironment } from '../../config/process-environment.ts';
import { cacheDirectory } from '../../infra/instance/layout.ts';
import type { Engine } from '../../infra/engines/pinned.ts';
import { resolveEngines } from '../../infra/engines/resolve.ts';
import { until } from './until.ts';
import { freePort } from './worker-process.ts';

/** S3-compatible server over a folder, built from its Go module. Only tests run it. */
const VERSITYGW: Engine = {
  name: 'versitygw',
  version: '1.8.0',
  goFolder: path.join(import.meta.dirname, 'go', 'versitygw'),
  programs: [
    {
      name: 'versitygw',
      variable: 'RECOLLECT_VERSITYGW',
      pathNames: ['versitygw'],
      archiveName: 'versitygw',
      goPackage: 'github.com/versity/versitygw/cmd/versitygw',
      goModule: 'github.com/versity/versitygw',
    },
  ],
  release: { repository: 'versity/versitygw', archive: () => null, checksumFile: () => '', sha256: {} },
};

const ACCESS_KEY = 'recollect-test';
const SECRET = 'recollect-test-secret';
const READY_MS = 120_000;

export interface S3Gateway {
  readonly endpoint: string;
  readonly bucket: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** S3 settings of an instance. */
  readonly environment: Readonly<Record<string, string>>;
  /** The folder behind the bucket. */
  readonly folder: string;
  close(): Promise<void>;
}

/** Starts an S3-compatible server with one empty bucket. Its program is built once and cached. */
export async function startS3Gateway(): Promise<S3Gateway> {
  const environment = processEnvironment();
  const step = { update: () => {}, done: () => {}, fail: () => {} };
  const programs = await resolveEngines([VERSITYGW], {
    cacheDir: cacheDirectory(environment),
    environment,
    progress: { step: () => step },
    signal: new AbortController().signal,
  });
  const program = programs.get('versitygw');
  if (program === undefined) throw new Error('versitygw was not resolved');
  const root = mkdtempSync(path.join(tmpdir(), 'recollect-s3-'));
  const bucket = 'memories';
  const folder = path.join(root, 'objects', bucket);
  mkdirSync(folder, { recursive: true });
  mkdirSync(path.join(root, 'sidecar'));
  const port = await freePort();
  const child = spawn(
    program.file,
    [
      '--access',
      ACCESS_KEY,
      '--secret',
      SECRET,
      '--port',
      `127.0.0.1:${port}`,
      '--quiet',
      'posix',
      '--sidecar',
      path.join(root, 'sidecar'),
      path.join(root, 'objects'),
    ],
    { stdio: 'ignore' },
  );
  const endpoint = `http://127.0.0.1:${port}`;
  const ended = once(child, 'exit');
  await until(
    async () => {
      if (child.exitCode !== null) throw new Error(`versitygw ended with ${child.exitCode}`);
      return fetch(endpoint).then(
        () => true,
        () => undefined,
      );
    },
    READY_MS,
    'the S3 server',
  );
  return {
    endpoint,
    bucket,
    folder,
    credentials: { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET },
    environment: {
      RECOLLECT_S3_ENDPOINT: endpoint,
      RECOLLECT_S3_ACCESS_KEY_ID: ACCESS_KEY,
      RECOLLECT_S3_SECRET_ACCESS_KEY: SECRET,
    },
    async close() {
      child.kill('SIGKILL');
      await ended;
      rmSync(root, { recursive: true, force: true });
    },
  };
}
