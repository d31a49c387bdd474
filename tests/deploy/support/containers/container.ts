import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { processEnvironment } from '../../../../config/process-environment.ts';
import { cacheDirectory } from '../../../../infra/instance/layout.ts';
import { imageOf, sourceOf } from './images.ts';
import { translatedValue, translation } from './places.ts';
import type { Places } from './places.ts';
import { DATA_FOLDER, startPostgresImage } from './postgres-image.ts';

const LOG_CHARACTERS = 4_096;

/** A container as a file of deploy/ describes it. Its texts are those of the file. */
export interface Container {
  readonly name: string;
  /** Whose ports are its own. */
  readonly host: string;
  readonly image: string;
  /** Replaces the image's, as `command` does. */
  readonly entrypoint?: readonly string[] | undefined;
  readonly command?: readonly string[] | undefined;
  readonly environment: Readonly<Record<string, string>>;
  /** Content by path in the container. */
  readonly files: Readonly<Record<string, string>>;
  /** Folders of this machine by path in the container; null: one that the container has alone. */
  readonly folders: Readonly<Record<string, string | null>>;
}

/** A container whose process was started. */
export interface StartedContainer {
  readonly pid: number;
  /** Resolves with the exit code, 128 after a signal. */
  readonly ended: Promise<number>;
  isRunning(): boolean;
  /** Returns the end of its output. */
  log(): string;
  /** Runs a health check in the container. Returns whether it succeeded. */
  check(test: readonly string[]): Promise<boolean>;
  /** Sends the signal. @throws Error if the process is there after `graceMs`; it is killed then */
  stop(signal: NodeJS.Signals, graceMs: number): Promise<void>;
}

const running = new Set<() => void>();
// A run that is interrupted leaves no process.
process.once('exit', () => running.forEach((kill) => kill()));
process.once('SIGTERM', () => process.exit(1));

/** Starts the process of a container on this machine, below `root`. */
export async function startContainer(container: Container, places: Places, root: string): Promise<StartedContainer> {
  const folders: Record<string, string> = {};
  for (const [inside, folder] of Object.entries(container.folders)) folders[inside] = folder ?? root + inside;
  for (const file of Object.keys(container.files)) folders[path.dirname(file)] ??= root + path.dirname(file);
  for (const folder of [root, ...Object.values(folders)]) mkdirSync(folder, { recursive: true });
  const translate = translation(places, container.host, folders);
  for (const [file, content] of Object.entries(container.files))
    writeFileSync(path.join(folders[path.dirname(file)] ?? root, path.basename(file)), translate(content));

  const image = imageOf(container.image);
  const { PATH = '' } = processEnvironment();
  const variables = { ...image.environment, ...ofPostgres(container), ...container.environment };
  const environment: Record<string, string> = {
    // That of our user in the images.
    HOME: folders['/tmp'] ?? root,
    PATH: `${places.programs.folder}:${PATH}`,
    ...Object.fromEntries(
      Object.entries(variables).map(([name, value]) => [name, translatedValue(places, translate, value)]),
    ),
  };
  const words = [
    ...(container.entrypoint ?? image.entrypoint),
    ...(container.command ?? (container.entrypoint === undefined ? image.command : [])),
  ];
  // An init of containers, which no process here needs.
  const [file = '', ...args] = (words[0] === 'tini' ? words.slice(2) : words).map((word) => sourceOf(translate(word)));
  const call =
    file === 'postgres'
      ? await startPostgresImage({ args, environment, cacheDir: cacheDirectory(processEnvironment()) })
      : { file, args, environment };

  const child = spawn(call.file, [...call.args], {
    ...('uid' in call ? { uid: call.uid, gid: call.gid } : {}),
    cwd: root,
    env: call.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = (): void => void child.kill('SIGKILL');
  running.add(kill);
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-LOG_CHARACTERS);
    });
  const ended = once(child, 'close').then(([code]) => {
    running.delete(kill);
    return typeof code === 'number' ? code : 128;
  });
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  return {
    pid: child.pid ?? 0,
    ended,
    isRunning,
    log: () => log,
    async check([kind, ...test]) {
      const [program = '', ...rest] = kind === 'CMD-SHELL' ? ['sh', '-c', ...test] : test;
      const [code] = await once(spawn(program, rest.map(translate), { env: environment, stdio: 'ignore' }), 'close');
      return code === 0;
    },
    async stop(signal, graceMs) {
      if (!isRunning()) return;
      const late = setTimeout(kill, graceMs);
      child.kill(signal);
      const code = await ended;
      clearTimeout(late);
      if (child.signalCode === 'SIGKILL')
        throw new Error(`${container.name} ran ${graceMs} ms after ${signal} (${code}):\n${log}`);
    },
  };
}

/** Returns the variables that the image of PostgreSQL has, and the port that its programs use without one. */
function ofPostgres({ image }: Container): Readonly<Record<string, string>> {
  return /\/postgres[:@]/.test(image) ? { PGDATA: DATA_FOLDER, PGPORT: '5432' } : {};
}

/** Awaits the end of a container. Returns the end of its output. @throws Error with it if the exit code is not 0 */
export async function runToEnd(started: StartedContainer, name: string): Promise<string> {
  const code = await started.ended;
  if (code !== 0) throw new Error(`${name} ended with ${code}:\n${started.log()}`);
  return started.log();
}
