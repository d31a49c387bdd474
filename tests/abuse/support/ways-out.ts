import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Client } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { createProgram } from '../../../cli/program.ts';
import { recordOutput } from '../../cli/support/output.ts';
import type { TestInstance } from '../../setup/instance.ts';
import { fileOf, hooked, markOf, namedRoot, ROOT } from './ways-in.ts';

/** What an agent receives by one way: a block, or strings of a JSON response. */
export interface Recalled {
  readonly block?: string;
  readonly strings?: unknown;
}

export type WayOut = (n: number) => Promise<Recalled>;

const context = z.object({ text: z.string(), tokens: z.number() });
const hookAnswer = z.object({ hookSpecificOutput: z.object({ additionalContext: z.string() }).optional() });
const toolAnswer = z.object({ content: z.tuple([z.object({ text: z.string() })]) });
const found = z.object({ data: z.array(z.object({ hash: z.string() })) });

const MAX_TRIES = 5;

const questionOf = (n: number): string => `Why does the gateway of ${markOf(n)} fail at night?`;

/** Every way by which recalled text reaches an agent or a terminal. */
export function waysOut(instance: TestInstance, mcp: Client, dataDir: string): Readonly<Record<string, WayOut>> {
  mkdirSync(dataDir, { recursive: true });
  const credentials = { url: instance.url, api_key: instance.admin.key };
  writeFileSync(path.join(dataDir, 'credentials.json'), JSON.stringify(credentials));

  const packed = async (body: Readonly<Record<string, unknown>>): Promise<Recalled> => {
    const budget = 4_000;
    const answer = await instance.call('POST', '/context', { body: { ...body, budget_tokens: budget } });
    const { text, tokens } = context.parse(answer.body);
    if (tokens > budget) throw new Error(`a block of ${tokens} tokens`);
    return { block: text };
  };
  const byHook = async (event: string, session: string, body: Readonly<Record<string, unknown>>, cwd = ROOT) =>
    hookAnswer.parse(await hooked(instance, event, session, body, cwd)).hookSpecificOutput?.additionalContext ?? '';
  /** A hook may time out on a busy machine and return nothing: each try uses its own session. */
  const patiently = async (ask: (session: string) => Promise<string>): Promise<Recalled> => {
    for (let attempt = 1; ; attempt += 1) {
      const block = await ask(randomUUID());
      if (block !== '' || attempt === MAX_TRIES) return { block };
    }
  };
  const started = (session: string, root: string) => byHook('SessionStart', session, { source: 'startup', root }, root);
  const tool = async (name: string, input: Readonly<Record<string, unknown>>): Promise<Recalled> => {
    const { content } = toolAnswer.parse(await mcp.callTool({ name, arguments: { ...input } }));
    return { block: content[0].text };
  };
  const hashes = async (n: number): Promise<readonly string[]> => {
    const { body } = await instance.call('GET', `/search?q=${markOf(n)}&format=compact&limit=20`);
    return found.parse(body).data.map(({ hash }) => hash);
  };
  const anchor = async (n: number): Promise<string> => (await hashes(n))[0] ?? 'none';
  const command = async (...args: string[]): Promise<Recalled> => {
    const output = recordOutput({ HOME: '/nonexistent' });
    const program = createProgram(output, () => undefined);
    await program.parseAsync([...args, '--data-dir', dataDir], { from: 'user' });
    if (output.errors() !== '') throw new Error(output.errors());
    return { block: output.text().replace(/\n$/u, '') };
  };
  const json = async (url: string): Promise<Recalled> => ({ strings: (await instance.call('GET', url)).body });

  return {
    'hook SessionStart': (n) => patiently((session) => started(session, namedRoot(n))),
    'hook UserPromptSubmit': (n) =>
      patiently(async (session) => {
        await started(session, ROOT);
        return byHook('UserPromptSubmit', session, { prompt: questionOf(n) });
      }),
    'hook PreToolUse': (n) =>
      patiently(async (session) => {
        await started(session, ROOT);
        return byHook('PreToolUse', session, { tool_name: 'Read', tool_input: { file_path: fileOf(n) } });
      }),
    'POST /context prompt': (n) => packed({ purpose: 'prompt', prompt: questionOf(n) }),
    'POST /context file': (n) => packed({ purpose: 'file', file: fileOf(n), project: ROOT }),
    'POST /context session_start': (n) => packed({ purpose: 'session_start', project: namedRoot(n) }),
    'MCP search': (n) => tool('search', { q: markOf(n), limit: 50 }),
    'MCP get': async (n) => tool('get', { hashes: await hashes(n) }),
    'MCP timeline': async (n) => tool('timeline', { anchor: await anchor(n), before: 10, after: 10 }),
    'MCP context': (n) => tool('context', { prompt: questionOf(n), budget_tokens: 2_000 }),
    'GET /search compact': (n) => json(`/search?q=${markOf(n)}&format=compact&limit=50`),
    'GET /timeline compact': async (n) => json(`/timeline?anchor=${await anchor(n)}&format=compact`),
    'recollect search': (n) => command('search', markOf(n), '--limit', '50'),
    'recollect search --full': (n) => command('search', markOf(n), '--full'),
    'recollect get': async (n) => command('get', ...(await hashes(n))),
    'recollect timeline': async (n) => command('timeline', await anchor(n)),
    'recollect context': (n) => command('context', '--prompt', questionOf(n), '--project', ROOT),
    'recollect learnings': (n) => command('learnings', '--project', namedRoot(n), '--include-closed'),
  };
}
