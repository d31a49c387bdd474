import { z } from 'zod';
import { UNSUMMARISED } from '../../../domain/data-classes.ts';
import type { GraphCall, GraphFailure } from '../../../domain/graph/extract.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { columnOf, millisColumn, rowOf } from '../connection/rows.ts';

/** Calls of a session that the graph is made from: the last ones of a longer session. */
const MAX_CALLS = 4_000;
const MAX_FAILURES = 200;
/** Length of the beginning and end of a failure that are searched for its name. */
const FAILURE_CHARACTERS = 4_000;

/** For a command that did not fail itself (`npm test | tail`), the lines that report a failure. */
const ERROR_LINE = '(?n)^\\s*((?:\\w+\\.)*\\w*(?:Error|Exception): .*)$';

const callRow = rowOf({
  id: z.string(),
  tool: z.string().nullable(),
  command: z.string().nullable(),
  files_read: z.array(z.string()),
  files_modified: z.array(z.string()),
  occurred_at_ms: millisColumn,
});
const failureRow = rowOf({ id: z.string(), content: z.string(), occurred_at_ms: millisColumn });

/**
 * Returns the tool calls of a session without outputs, its failures with their beginning, and the root folders of its project. Rows that no summary is made
 * from are left out.
 */
export async function readGraphRows(
  transaction: TenantTransaction,
  sessionId: string,
  projectId: string | null,
): Promise<{
  readonly calls: readonly GraphCall[];
  readonly failures: readonly GraphFailure[];
  readonly roots: readonly string[];
}> {
  const calls = z.array(callRow).parse(
    await transaction.$queryRaw`
      SELECT id, tool, left(input ->> 'command', 2000) AS command, files_read, files_modified, occurred_at AS occurred_at_ms FROM observations
       WHERE session_id = ${sessionId}::uuid AND data_class <> ALL (${UNSUMMARISED}::text[]) AND (tool IS NOT NULL OR files_read <> '{}' OR files_modified <> '{}') ORDER BY seq DESC LIMIT ${MAX_CALLS}`,
  );
  const failures = z.array(failureRow).parse(
    await transaction.$queryRaw`
      SELECT id, CASE WHEN type = 'error' THEN left(content, ${FAILURE_CHARACTERS}::integer)
                      ELSE (SELECT string_agg(line[1], E'\\n') FROM regexp_matches(right(content, ${FAILURE_CHARACTERS}::integer), ${ERROR_LINE}, 'g') AS line) END AS content, occurred_at AS occurred_at_ms
        FROM observations
       WHERE session_id = ${sessionId}::uuid AND data_class <> ALL (${UNSUMMARISED}::text[]) AND (type = 'error' OR input ? 'command' AND right(content, ${FAILURE_CHARACTERS}::integer) ~ ${ERROR_LINE})
       ORDER BY seq DESC LIMIT ${MAX_FAILURES}`,
  );
  const roots = projectId === null ? [] : await projectRoots(transaction, projectId);
  return { calls: calls.toReversed(), failures, roots };
}

/** The folders that are a project's root, on whichever machine. */
export async function projectRoots(transaction: TenantTransaction, projectId: string): Promise<readonly string[]> {
  const rows =
    await transaction.$queryRaw`SELECT alias FROM project_aliases WHERE project_id = ${projectId}::uuid AND alias LIKE 'path:%' ORDER BY alias`;
  // `path:<machine>:<root>`: a machine's name has no colon.
  return columnOf(rows, 'alias', z.string()).flatMap(
    (alias) => /^path:[^:]*:(?<root>.+)$/su.exec(alias)?.groups?.['root'] ?? [],
  );
}
