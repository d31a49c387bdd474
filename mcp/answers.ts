import type { CallToolResult } from '@modelcontextprotocol/server';
import { RecollectError } from '../client/index.ts';
import type { FetchedMemories, Memory } from '../client/index.ts';
import { inertText } from '../domain/recalled/inert-text.ts';
import { recalledBlock } from '../domain/recalled/recalled-block.ts';

/** Default limit of a memory's content, in characters: about a thousand tokens. */
export const SHOWN_CHARACTERS = 4_000;

/** Returns a text as the result of a tool. */
export function textResult(text: string): CallToolResult {
  return { content: [{ type: 'text', text }] };
}

/** Returns a value as one line of JSON. */
export function jsonResult(value: object): CallToolResult {
  return textResult(JSON.stringify(value));
}

/** Returns a value as one line of JSON, as inert text, in the block that labels recalled memory and that capture removes. */
export function recalledResult(value: object): CallToolResult {
  const line = JSON.stringify(value, (_name, field: unknown) => (typeof field === 'string' ? inertText(field) : field));
  return textResult(recalledBlock(line));
}

/** Remedies for an agent, by error code. The server's messages describe the fault. */
const HINTS: Readonly<Record<string, string>> = {
  UNREACHABLE: 'Continue without memory, and inform the user that Recollect is not running (recollect up).',
  TIMEOUT: 'Try once more, then continue without memory.',
  UNAUTHENTICATED: 'Ask the user to set the key of this MCP server.',
  INVALID_API_KEY: 'Inform the user that the key of this MCP server is no longer valid.',
  FORBIDDEN: 'Do not try again: the key of this MCP server may not do this.',
  NOT_FOUND: 'Search again: it may have been forgotten.',
  HASH_AMBIGUOUS: 'Name one of the candidates by its id.',
  VALIDATION_FAILED: 'Correct the fields listed in details.',
};

/** Returns an error as a result: code, fault, fields and remedy. */
export function errorResult(error: RecollectError): CallToolResult {
  const waitSeconds = error.retryAfterMs === null ? null : Math.ceil(error.retryAfterMs / 1_000);
  const hint =
    HINTS[error.code] ??
    (waitSeconds === null ? undefined : `Try again in ${Math.max(1, waitSeconds)} s, then go on without memory.`);
  // Show candidates of a hash by their content.
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

/** Runs a tool and returns failures as results: an agent sees those, but a protocol error only reaches its host. */
export async function answering(work: () => Promise<CallToolResult>): Promise<CallToolResult> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RecollectError) return errorResult(error);
    throw error;
  }
}

/** Returns the fields of a full memory that an agent needs. */
function agentView(memory: Memory, characters: number): object {
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

/** Returns full memories, each truncated to `characters`. */
export function fetchedResult({ data, missing }: FetchedMemories, characters: number): CallToolResult {
  return recalledResult({
    data: data.map((memory) => agentView(memory, characters)),
    ...(missing.length === 0 ? {} : { missing }),
  });
}
