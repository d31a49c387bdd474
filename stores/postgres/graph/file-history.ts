import { z } from 'zod';
import { fileLabel } from '../../../domain/graph/names.ts';
import { entityName, MENTION_SOURCES } from '../../../domain/graph/graph.ts';
import type { TenantTransaction } from '../connection/database.ts';
import type { MemoryRef } from '../memories/memories.ts';
import { projectRoots } from './graph-rows.ts';

export interface FileScope {
  readonly projectId: string;
  readonly namespace: string;
  /** As a tool names it: absolute, or below the project's root. */
  readonly file: string;
}

/** A file as the graph knows it, with what names it. */
export interface FileHistory {
  /** Returns the path below the project's root; null for an invalid path. */
  readonly label: string | null;
  /** The newest calls, notes and learnings that name it, newest first. */
  readonly refs: readonly MemoryRef[];
}

/** Calls, notes and learnings that are read: enough for decisions beside many edits. */
const MAX_CALLS = 24;
const MAX_NOTES = 24;

const mentionRow = z.object({ id: z.string(), type: z.enum(MENTION_SOURCES) });

/** Returns the history of a file in a project from the mentions of the graph: two reads by index. */
export async function readFileHistory(transaction: TenantTransaction, scope: FileScope): Promise<FileHistory> {
  const label = fileLabel(scope.file, await projectRoots(transaction, scope.projectId));
  if (label === null) return { label, refs: [] };
  const refs = z.array(mentionRow).parse(
    await transaction.$queryRaw`
      WITH file AS (
        SELECT id FROM entities
         WHERE project_id = ${scope.projectId}::uuid AND namespace = ${scope.namespace} AND type = 'file' AND name = ${entityName(label)}
      ), named AS (
        (SELECT m.source_id, m.source_type, m.occurred_at FROM file, entity_mentions m
          WHERE m.entity_id = file.id AND m.source_type = 'observation' ORDER BY m.occurred_at DESC, m.source_id LIMIT ${MAX_CALLS})
        UNION
        (SELECT m.source_id, m.source_type, m.occurred_at FROM file, entity_mentions m
          WHERE m.entity_id = file.id AND m.source_type <> 'observation' ORDER BY m.occurred_at DESC, m.source_id LIMIT ${MAX_NOTES})
      )
      SELECT source_id AS id, source_type AS type FROM named ORDER BY occurred_at DESC, source_id`,
  );
  return { label, refs };
}
