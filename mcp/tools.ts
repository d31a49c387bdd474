import type { CallToolResult, McpServer, ToolAnnotations } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { RecollectError } from '../client/index.ts';
import type { ContextQuestion, RecollectApi } from '../client/index.ts';
import { VISIBILITIES } from '../domain/learning/visibility.ts';
import { MEMORY_TYPES } from '../domain/ports/vector-index.ts';
import {
  answering,
  errorResult,
  fetchedResult,
  jsonResult,
  recalledResult,
  SHOWN_CHARACTERS,
  textResult,
} from './answers.ts';

/** Dependencies of the tools. */
export interface ToolContext {
  /** Whether the writing tools are offered; the key's scopes still apply. */
  readonly mayWrite: boolean;
  /** Called for each tool call: the server's address may change. */
  readonly api: () => RecollectApi;
  /** Project of the agent's folder, the default of tools; null if unknown. */
  readonly projectHere: { readonly recalled: string; readonly remembered: string | null } | null;
}

// Every agent pays for these words in every session: tests/mcp/tools.test.ts limits them to 1,200 tokens in total.
const READS: ToolAnnotations = { readOnlyHint: true };
const hashes = z.array(z.string()).min(1).max(20).describe('Hashes or ids');
const project = z.string().max(2048).optional();

async function forgetEach(
  api: RecollectApi,
  names: readonly string[],
  withSources: boolean | undefined,
): Promise<CallToolResult> {
  const forgotten: string[] = [];
  const sources: string[] = [];
  const remaining: string[] = [];
  let unlisted = 0;
  const missing: string[] = [];
  for (const name of names) {
    try {
      const { hash, sources: of } = await api.remove(name, { with_sources: withSources });
      forgotten.push(hash);
      sources.push(...of.forgotten.map((source) => source.hash));
      remaining.push(...of.remaining.map((source) => source.hash));
      unlisted += of.remaining_count - of.remaining.length;
    } catch (error) {
      if (!(error instanceof RecollectError)) throw error;
      // Report memories already forgotten before the error.
      if (error.code !== 'NOT_FOUND')
        return forgotten.length === 0 ? errorResult(error) : partly(error, forgotten, name);
      missing.push(name);
    }
  }
  return {
    ...jsonResult({
      forgotten,
      ...(sources.length === 0 ? {} : { sources_forgotten: sources }),
      ...(remaining.length === 0 ? {} : { sources_remaining: remaining }),
      ...(unlisted === 0 ? {} : { sources_unlisted: unlisted }),
      ...(missing.length === 0 ? {} : { missing }),
    }),
    ...(forgotten.length === 0 ? { isError: true } : {}),
  };
}

function partly(error: RecollectError, forgotten: readonly string[], failed: string): CallToolResult {
  return { ...jsonResult({ forgotten, failed, error: error.message, code: error.code }), isError: true };
}

/** Returns a day as a UTC time; other values unchanged, for the server to validate. */
function momentOf(given: string | undefined, time: string): string | undefined {
  return given !== undefined && /^\d{4}-\d\d-\d\d$/.test(given) ? `${given}T${time}` : given;
}

function purposeOf(given: {
  readonly file?: string | undefined;
  readonly prompt?: string | undefined;
}): ContextQuestion['purpose'] {
  if (given.file !== undefined) return 'file';
  return given.prompt === undefined ? 'session_start' : 'prompt';
}

function addReading(server: McpServer, { api, projectHere }: ToolContext): void {
  server.registerTool(
    'search',
    {
      description:
        'Search memory of all earlier sessions: actions, decisions, learnings, messages. Returns previews, best first; get returns full content.',
      inputSchema: z.object({
        q: z
          .string()
          .min(1)
          .max(500)
          .describe('Question or words. "exact phrase", last week, file:a.ts, tool:Bash, kind:bugfix narrow it'),
        type: z.array(z.enum(MEMORY_TYPES)).optional(),
        project,
        tags: z.array(z.string()).optional(),
        since: z.string().optional().describe('Day or RFC 3339'),
        until: z.string().optional(),
        limit: z.int().min(1).max(50).default(5),
        nearest: z.boolean().optional().describe('Also if nothing_fits'),
      }),
      annotations: READS,
    },
    ({ q, since, until, ...filter }) =>
      answering(async () => {
        const times = { since: momentOf(since, '00:00:00Z'), until: momentOf(until, '23:59:59.999Z') };
        return recalledResult(await api().search(q, { ...filter, ...times, format: 'compact' }));
      }),
  );
  server.registerTool(
    'timeline',
    {
      description: 'List memories before and after a memory, in order.',
      inputSchema: z.object({
        anchor: z.string().optional().describe('Hash or id; alternative to q'),
        q: z.string().max(500).optional(),
        before: z.int().min(0).max(50).default(5),
        after: z.int().min(0).max(50).default(5),
        project: project.describe('Its timeline instead of the session’s'),
      }),
      annotations: READS,
    },
    (question) => answering(async () => recalledResult(await api().timeline({ ...question, format: 'compact' }))),
  );
  server.registerTool(
    'get',
    {
      description: 'Read full memories.',
      inputSchema: z.object({
        hashes,
        chars: z.int().min(100).max(100_000).default(SHOWN_CHARACTERS).describe('Maximum of each'),
      }),
      annotations: READS,
    },
    ({ hashes, chars }) => answering(async () => fetchedResult(await api().getMany(hashes), chars)),
  );
  server.registerTool(
    'context',
    {
      description: 'Get relevant memories before work on a project, a prompt, or a file, within a token budget.',
      inputSchema: z.object({
        prompt: z.string().max(100_000).optional(),
        file: z.string().max(4096).optional().describe('Path'),
        project,
        budget_tokens: z.int().min(50).max(8_000).default(900),
      }),
      annotations: READS,
    },
    (given) =>
      answering(async () => {
        const named = given.project ?? projectHere?.recalled;
        const block = await api().context({ ...given, project: named, purpose: purposeOf(given) });
        return block.text === '' ? jsonResult({ text: '' }) : textResult(block.text);
      }),
  );
}

/** Tools that need the scope `write`; the others need `read`. */
export const WRITING_TOOLS: ReadonlySet<string> = new Set(['remember', 'forget']);

function addWriting(server: McpServer, { api, projectHere }: ToolContext): void {
  server.registerTool(
    'remember',
    {
      description:
        'Store a fact, decision or lesson worth knowing in later sessions. One per call, in full sentences. No secrets.',
      inputSchema: z.object({
        content: z.string().min(1).max(65_536),
        title: z.string().max(200).optional(),
        tags: z.array(z.string().max(64)).max(32).optional(),
        category: z.enum(['pattern', 'solution', 'error', 'config', 'best_practice', 'general']).optional(),
        project,
        visibility: z.enum(VISIBILITIES).optional().describe('private: this user and admins read it'),
      }),
      annotations: { idempotentHint: true },
    },
    (memory) =>
      answering(async () => {
        const about = memory.project ?? projectHere?.remembered ?? undefined;
        return jsonResult(await api().store({ ...memory, project: about }));
      }),
  );
  server.registerTool(
    'forget',
    {
      description: 'Delete memories permanently. Only if the user requests it.',
      inputSchema: z.object({
        hashes,
        with_sources: z.boolean().optional().describe('Also the events it was made from'),
      }),
      annotations: { destructiveHint: true },
    },
    ({ hashes, with_sources: withSources }) => answering(() => forgetEach(api(), hashes, withSources)),
  );
}

/** Registers the four reading tools and, if permitted, the two writing tools. */
export function addTools(server: McpServer, context: ToolContext): void {
  addReading(server, context);
  if (context.mayWrite) addWriting(server, context);
}
