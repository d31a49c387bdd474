import { extractGraph } from '../../domain/graph/extract.ts';
import type { GraphNote } from '../../domain/graph/extract.ts';
import type { LearningDraft, SessionInput, SourceRow } from '../../domain/ports/model.ts';
import type { TenantTransaction } from '../../stores/postgres/connection/database.ts';
import { readGraphRows } from '../../stores/postgres/graph/graph-rows.ts';
import { writeGraph } from '../../stores/postgres/graph/graph-writes.ts';
import type { LearningContext } from '../../stores/postgres/learnings/learnings.ts';

/** Writes a session's part of the graph, from its calls, its items and what was learned from it. */
export async function linkSession(
  transaction: TenantTransaction,
  context: LearningContext & { readonly projectName: string | null },
  input: SessionInput & { readonly rows: readonly SourceRow[] },
  learnings: readonly { readonly id: string; readonly draft: LearningDraft }[],
): Promise<void> {
  const { calls, failures, roots } = await readGraphRows(transaction, context.sessionId, context.projectId);
  const times = new Map<string, number>(
    [...input.prompts, ...input.rows].map((row) => [row.id, Date.parse(row.occurredAt)]),
  );
  for (const call of calls) times.set(call.id, call.occurredAtMs);
  const last = Math.max(0, ...times.values());
  const timeOf = (evidence: readonly { readonly rowId: string }[]) => {
    const cited = evidence.flatMap((piece) => times.get(piece.rowId) ?? []);
    return cited.length === 0 ? last : Math.max(...cited);
  };
  const notes = [
    ...input.items.map((item): GraphNote => ({
      id: item.id,
      source: 'summary',
      kind: item.kind,
      title: item.title,
      text: item.content,
      tags: item.tags,
      evidence: item.evidence,
      occurredAtMs: timeOf(item.evidence),
    })),
    ...learnings.map(({ id, draft }): GraphNote => ({
      id,
      source: 'learning',
      kind: draft.category,
      title: draft.title,
      text: [draft.description, ...draft.examples].join('\n'),
      tags: draft.tags,
      evidence: draft.evidence,
      occurredAtMs: timeOf(draft.evidence),
    })),
  ];
  const prompts = input.prompts
    .filter((prompt) => prompt.type === 'user' || prompt.type === 'assistant')
    .map(({ id, content, occurredAt }) => ({ id, content, occurredAtMs: Date.parse(occurredAt) }));
  const { projectName } = context;
  await writeGraph(transaction, context, extractGraph({ projectName, roots, calls, failures, prompts, notes }));
}
