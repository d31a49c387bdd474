import type { CallToolResult } from '@modelcontextprotocol/server';
import { RecollectError } from '../client/index.ts';
import type { FetchedMemories, Memory } from '../client/index.ts';
import { inertText } from '../domain/recalled/inert-text.ts';
import { recalledBlock } from '../domain/recalled/recalled-block.ts';

/** Characters of a memory's content that are given unless more are asked for: some thousand tokens. */
export const SHOWN_CHARACTERS = 4_000;

/** A text as a tool's answer. */
export function textResult(text: string): CallToolResult {
  return { content: [{ type: 'text', text }] };
}

/** A value as one line of JSON. */
export function jsonResult(value: object): CallToolResult {
  return textResult(JSON.stringify(value));
}

/** What memory says as one line of JSON, inert, in the block that says what it is and that capture removes. */
export function recalledResult(value: object): CallToolResult {
  const line = JSON.stringify(value, (_name, said: unknown) => (typeof said === 'string' ? inertText(said) : said));
  return textResult(recalledBlock(line));
}

/** What an agent can do about a code. Messages of the server say what is wrong; these say what now. */
const HINTS: Readonly<Record<string, string>> = {
  UNREACHABLE: 'Go on without memory, and tell the user that Recollect does not run (recollect up).',
  TIMEOUT: 'Try once more, then go on without memory.',
  UNAUTHENTICATED: 'Tell the user to set the key of this MCP server.',
  INVALID_API_KEY: 'Tell the user that the key of this MCP server is not known any more.',
  FORBIDDEN: 'Do not try again: the key of this MCP server may not do this.',
  NOT_FOUND: 'Search again: it may have been forgotten.',
  HASH_AMBIGUOUS: 'Name one of the candidates by its id.',
  VALIDATION_FAILED: 'Mend the fields that details names.',
};

/** A failure as an agent can act on it: code, what is wrong, where, and what to do. */
export function errorResult(error: RecollectError): CallToolResult {
  const waitSeconds = error.retryAfterMs === null ? null : Math.ceil(error.retryAfterMs / 1_000);
  const hint =
    HINTS[error.code] ??
    (waitSeconds === null ? undefined : `Try again in ${Math.max(1, waitSeconds)} s, then go on without memory.`);
  // The candidates of a hash are shown by what they say.
  const isQuoting = error.details.some((detail) => detail.preview !== undefined);
  return {
    ...(isQuoting ? recalledResult : jsonResult)({
      error: error.message,
      code: error.code,
      ...(error.details.length === 0 ? {} : { details: error.details }),
      ...(hint === undefined ? {} : { hint }),
      ...(error.requestId === null ? {} : { request_id: error.requestId }),
    }),
    isError: true,
  };
}

/** Runs the work of a tool and answers its failures as results: an agent sees them, a protocol error ends at its host. */
export async function answering(work: () => Promise<CallToolResult>): Promise<CallToolResult> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RecollectError) return errorResult(error);
    throw error;
  }
}

/** What an agent is told of a whole memory: without what only programs need. */
function told(memory: Memory, characters: number): object {
  const content = memory.content.slice(0, characters).toWellFormed();
  return {
    hash: memory.hash,
    type: memory.type,
    kind: memory.kind,
    ...(memory.title === '' ? {} : { title: memory.title }),
    content,
    ...(content.length < memory.content.length ? { cut_of: memory.content.length } : {}),
    ...(memory.tags.length === 0 ? {} : { tags: memory.tags }),
    ...(memory.tool === null ? {} : { tool: memory.tool }),
    ...(memory.project === null ? {} : { project: memory.project }),
    ...(memory.session === null ? {} : { session: memory.session.external_id }),
    at: memory.occurred_at,
  };
}

/** Whole memories, each cut to so many characters. */
export function fetchedResult({ data, missing }: FetchedMemories, characters: number): CallToolResult {
  return recalledResult({
    data: data.map((memory) => told(memory, characters)),
    ...(missing.length === 0 ? {} : { missing }),
  });
}
