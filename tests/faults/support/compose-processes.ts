import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { composeContent } from '../../deploy/support/compose.ts';
import type { TestInstance } from '../../setup/instance.ts';
import { testCertificate } from '../../setup/certificate.ts';
import { untilTrue } from '../../setup/until.ts';
import { freePort, startService } from '../../setup/worker-process.ts';
import type { ServiceProcess } from '../../setup/worker-process.ts';
import { programPath } from '../../viewer/journeys/support/programs.ts';

export type ProcessName = 'api-1' | 'api-2' | 'worker-1' | 'worker-2';
const NAMES: readonly ProcessName[] = ['api-1', 'api-2', 'worker-1', 'worker-2'];
const NGINX = new URL('../../../deploy/compose/nginx.conf', import.meta.url);
const START_MS = 60_000;

/** The processes of deploy/compose/compose.yaml, with the engines of the tests. */
export interface ComposeProcesses {
  /** Address of the proxy. */
  readonly url: string;
  readonly plainUrl: string;
  readonly certificate: string;
  /** Seconds from start to ready, by process. */
  readonly readySeconds: Readonly<Record<string, number>>;
  /** Kills a process and starts it again, as Compose does; resolves when it is ready. */
  restart(name: ProcessName): Promise<void>;
  close(): Promise<void>;
}

/** Replaces each text once or more. @throws Error if one does not occur: the test would not use the file */
function replaced(text: string, pairs: readonly (readonly [string, string])[]): string {
  return pairs.reduce((content, [from, to]) => {
    if (!content.includes(from)) throw new Error(`the file does not contain ${from}`);
    return content.replaceAll(from, to);
  }, text);
}

/**
 * Returns the environment of a service of Compose. Only addresses, folders and ports differ: those of containers are replaced by those of the
 * test, and secrets are files of a folder.
 */
function environmentOf(
  name: ProcessName,
  instance: TestInstance,
  folder: string,
  port: number,
): Record<string, string> {
  const service = composeContent('compose.yaml').services[name];
  if (service === undefined) throw new Error(`compose.yaml has no service ${name}`);
  const known = instance.environment;
  const settingsFolder = path.join(folder, `secrets-${name}`);
  mkdirSync(settingsFolder);
  for (const { target } of service.secrets)
    writeFileSync(
      path.join(settingsFolder, target),
      known[target] ?? (target === 'RECOLLECT_SCRAPE_TOKEN' ? 'a-token-of-the-test' : ''),
    );
  const { RECOLLECT_WEAVIATE_GRPC_PORT = '', RECOLLECT_TEMPORAL_NAMESPACE = '' } = known;
  const shared = [
    'RECOLLECT_TEMPORAL_ADDRESS',
    'RECOLLECT_WEAVIATE_URL',
    'RECOLLECT_CACHE_DIR',
    'RECOLLECT_BACKUP_STORE',
    'RECOLLECT_ARCHIVE_STORE',
  ];
  const times = Object.entries(known).filter(([setting]) =>
    /_(?:QUIET|IDLE|RETRY|INTERVAL|DELAY|TIMEOUT)_MS$/.test(setting),
  );
  const { RECOLLECT_EMBEDDING_MODEL_DIR: _mounted, ...environment } = service.environment;
  return {
    ...environment,
    ...Object.fromEntries([...shared.map((setting) => [setting, known[setting] ?? '']), ...times]),
    RECOLLECT_WEAVIATE_GRPC_PORT,
    RECOLLECT_TEMPORAL_NAMESPACE,
    NODE_COMPILE_CACHE: path.join(folder, 'compile'),
    RECOLLECT_SETTINGS_DIR: settingsFolder,
    RECOLLECT_PUBLIC_URL: 'https://127.0.0.1',
    ...(name.startsWith('api')
      ? // On loopback, where the range of the proxy is not private.
        { RECOLLECT_HTTP_HOST: '127.0.0.1', RECOLLECT_TRUST_PROXY: '127.0.0.1/32', RECOLLECT_HTTP_PORT: String(port) }
      : { RECOLLECT_WORKER_METRICS_HOST: '127.0.0.1', RECOLLECT_WORKER_METRICS_PORT: String(port) }),
  };
}

async function startProxy(folder: string, apiPorts: readonly number[]) {
  const { cert, key } = testCertificate('proxy');
  const [tls, plain] = [await freePort(), await freePort()];
  const file = (name: string, content: string): string => {
    writeFileSync(path.join(folder, name), content);
    return path.join(folder, name);
  };
  const configuration = file(
    'nginx.conf',
    replaced(readFileSync(NGINX, 'utf8'), [
      // First: the folder of the test is below it, too.
      ['/tmp/', `${folder}/`],
      ['172.30.37.11:37700', `127.0.0.1:${apiPorts[0]}`],
      ['172.30.37.12:37700', `127.0.0.1:${apiPorts[1]}`],
      ['listen 8443', `listen 127.0.0.1:${tls}`],
      ['listen 8080', `listen 127.0.0.1:${plain}`],
      ['/run/secrets/tls.crt', file('tls.crt', cert)],
      ['/run/secrets/tls.key', file('tls.key', key)],
    ]),
  );
  const program = programPath(['nginx'], 'nginx is missing: install it with "apt-get install nginx-light"');
  const running = spawn(program, ['-e', 'stderr', '-c', configuration], { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  running.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const ended = once(running, 'exit');
  await untilTrue(
    async () => {
      if (running.exitCode !== null) throw new Error(`nginx ended: ${output}`);
      return fetch(`http://127.0.0.1:${plain}`, { redirect: 'manual' }).then(
        () => true,
        () => false,
      );
    },
    START_MS,
    'nginx',
  );
  return {
    url: `https://127.0.0.1:${tls}`,
    plainUrl: `http://127.0.0.1:${plain}`,
    certificate: cert,
    async close() {
      running.kill('SIGTERM');
      await ended;
    },
  };
}

/** Starts the api and worker processes of Compose with its environment, and its proxy before the api processes. */
export async function startComposeProcesses(instance: TestInstance): Promise<ComposeProcesses> {
  const folder = mkdtempSync(path.join(tmpdir(), 'recollect-servers-'));
  // The proxy's processes have another user when root starts it.
  chmodSync(folder, 0o755);
  const settings = new Map<ProcessName, Record<string, string>>();
  const apiPorts: number[] = [];
  for (const name of NAMES) {
    const port = await freePort();
    if (name.startsWith('api')) apiPorts.push(port);
    settings.set(name, environmentOf(name, instance, folder, port));
  }
  const running = new Map<ProcessName, ServiceProcess>();
  const readySeconds: Record<string, number> = {};
  const start = async (name: ProcessName): Promise<void> => {
    const started = performance.now();
    running.set(
      name,
      await startService(name.startsWith('api') ? 'api/main.ts' : 'workers/main.ts', settings.get(name) ?? {}),
    );
    readySeconds[name] = Math.round(performance.now() - started) / 1_000;
  };
  for (const name of NAMES) await start(name);
  const proxy = await startProxy(folder, apiPorts);
  return {
    ...proxy,
    readySeconds,
    async restart(name) {
      await running.get(name)?.kill();
      await start(name);
    },
    async close() {
      await proxy.close();
      for (const process of running.values()) await process.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
