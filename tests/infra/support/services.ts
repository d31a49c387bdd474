import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { NodeDefinition, ServiceDefinition, StepDefinition } from '../../../infra/supervisor/definitions.ts';
import { identifyProcess } from '../../../infra/supervisor/process-identity.ts';
import { Supervisor } from '../../../infra/supervisor/supervisor.ts';
import { onTestFinished } from 'vitest';
import { recordProgress } from './progress.ts';

/** A folder in which small real processes record their events. */
export interface Stage {
  readonly folder: string;
  /** Events in order: `start NAME`, `stop NAME`. */
  events(): string[];
}

export function stage(folder: string): Stage {
  const file = path.join(folder, 'events');
  writeFileSync(file, '');
  return { folder, events: () => readFileSync(file, 'utf8').split('\n').filter(Boolean) };
}

interface ServiceOptions {
  readonly after?: readonly string[];
  /** JavaScript that the process runs; `note(text)` adds an event. */
  readonly script?: string;
  readonly readyTimeoutMs?: number;
  readonly stopGraceMs?: number;
  readonly message?: boolean;
  readonly ports?: readonly number[];
}

const POLITE = `note('start ' + name); setInterval(() => {}, 1000); process.on('SIGTERM', () => { note('stop ' + name); process.exit(0); }); ready();`;

/** Returns a service that is a real process, ready once it has created its file or sent its message. */
export function service(on: Stage, name: string, options: ServiceOptions = {}): ServiceDefinition {
  const readyFile = path.join(on.folder, `${name}.ready`);
  const prelude = `
    const fs = require('node:fs');
    const name = ${JSON.stringify(name)};
    const note = (text) => fs.appendFileSync(${JSON.stringify(path.join(on.folder, 'events'))}, text + '\\n');
    const ready = () => ${options.message ? `process.send({ type: 'ready' })` : `fs.writeFileSync(${JSON.stringify(readyFile)}, String(process.pid))`};
    const starts = () => fs.readFileSync(${JSON.stringify(path.join(on.folder, 'events'))}, 'utf8').split('\\n').filter((line) => line === 'start ' + name).length;
  `;
  return {
    kind: 'service',
    name,
    after: options.after ?? [],
    prepare: () =>
      Promise.resolve({
        file: process.execPath,
        args: ['-e', prelude + (options.script ?? POLITE)],
        environment: {},
        workingDirectory: on.folder,
      }),
    ports: options.ports ?? [],
    readiness: options.message
      ? { kind: 'message' }
      : {
          kind: 'probe',
          check: () => {
            const alive = existsSync(readyFile) && identifyProcess(Number(readFileSync(readyFile, 'utf8'))) !== null;
            return alive ? Promise.resolve() : Promise.reject(new Error('not yet'));
          },
        },
    readyTimeoutMs: options.readyTimeoutMs ?? 100_000,
    stopSignal: 'SIGTERM',
    stopGraceMs: options.stopGraceMs ?? 100_000,
    emergencySignal: 'SIGKILL',
  };
}

export function step(on: Stage, name: string, after: readonly string[], run?: StepDefinition['run']): StepDefinition {
  const note = (): Promise<void> => {
    appendFileSync(path.join(on.folder, 'events'), `step ${name}\n`);
    return Promise.resolve();
  };
  return { kind: 'step', name, after, run: run ?? note };
}

/** Creates a supervisor over these nodes; its processes are ended with the running test. */
export function supervise(on: Stage, nodes: readonly NodeDefinition[]): Supervisor & { readonly lines: string[] } {
  const progress = recordProgress();
  const supervisor = new Supervisor({
    nodes,
    dataDir: on.folder,
    logFolder: on.folder,
    stateFile: path.join(on.folder, 'state.json'),
    progress,
  });
  onTestFinished(() => supervisor.stop());
  return Object.assign(supervisor, { lines: progress.lines });
}
