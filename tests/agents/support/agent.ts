import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { processEnvironment } from '../../../config/process-environment.ts';

/** Programs of the agents below `node_modules`, as their packages name them for a platform. Those in JavaScript run with this Node. */
const PROGRAMS = {
  'claude-code': (platform: string) => `@anthropic-ai/claude-code-${platform}/claude`,
  'gemini-cli': () => '@google/gemini-cli/bundle/gemini.js',
  opencode: (platform: string) => `opencode-${platform}/bin/opencode`,
} as const;

export type Agent = keyof typeof PROGRAMS;

/** Returns the program of an agent. @throws Error if it is not installed: an unchecked agent must not pass */
function programOf(agent: Agent): string {
  const folder = processEnvironment()['RECOLLECT_AGENTS'] ?? '';
  const file = path.join(folder, 'node_modules', PROGRAMS[agent](`${process.platform}-${process.arch}`));
  if (folder === '' || !existsSync(file))
    throw new Error(`${agent} is not installed: see docs/testing.md; RECOLLECT_AGENTS names the folder of the agents`);
  return file;
}

export interface AgentRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface AgentOptions {
  readonly home: string;
  readonly cwd?: string;
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs an agent to its end, with an empty environment, a home of its own and no way to other machines. */
export async function runAgent(agent: Agent, args: readonly string[], options: AgentOptions): Promise<AgentRun> {
  const { home, cwd = home, input = '', environment = {} } = options;
  const program = programOf(agent);
  const [command, ...words] = program.endsWith('.js') ? [process.execPath, program, ...args] : [program, ...args];
  const child = spawn(command, words, {
    cwd,
    env: {
      PATH: [path.dirname(process.execPath), '/usr/bin', '/bin'].join(':'),
      HOME: home,
      HTTPS_PROXY: 'http://127.0.0.1:9',
      HTTP_PROXY: 'http://127.0.0.1:9',
      NO_PROXY: '127.0.0.1',
      ...environment,
    },
    stdio: 'pipe',
  });
  child.stdin.end(input);
  const [[code], out, err] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  return { code: z.number().parse(code), out, err };
}
