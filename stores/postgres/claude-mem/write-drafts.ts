import type { RowOutcome } from '../../../domain/claude-mem/counts.ts';
import { sessionKey } from '../../../domain/claude-mem/session-name.ts';
import { asId } from '../../../domain/ids.ts';
import type { SessionId } from '../../../domain/ids.ts';
import { ownerIdFor } from '../../../domain/learning/visibility.ts';
import { readSharing } from '../learnings/sharing.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { storeMemories } from '../memories/memory-writes.ts';
import { captureImported, isServed, settlePrompts, servedPrompts } from './captures.ts';
import type { PlacedEvent } from './captures.ts';
import type { SourceRows } from './ledger.ts';
import { isStored } from './prepare-rows.ts';
import type { ImportBatch, AcceptedDraft, AcceptedDraftOf } from './prepare-rows.ts';
import { extendSessions, projectsByName } from './sessions.ts';
import { UNKNOWN_MS } from './current-state.ts';
import type { CurrentState } from './current-state.ts';
import { writeImportedSummaries } from './summaries.ts';

/** Drafts with their sessions; in a dry run those alone whose sessions stand. */
function placedEvents(
  current: CurrentState,
  drafts: readonly { readonly draft: AcceptedDraft; readonly event: PlacedEvent['event'] }[],
) {
  return drafts.flatMap(({ draft, event }) => {
    const session = current.sessions.get(sessionKey(draft.session));
    return session === undefined ? [] : [{ draft, placed: { session, event } }];
  });
}

/** Prompts and first prompts: those that hooks brought are known, the others are captured and their sessions left settled. */
async function importPrompts(
  transaction: TenantTransaction,
  rows: SourceRows,
  batch: ImportBatch,
  current: CurrentState,
  prompts: readonly { readonly draft: AcceptedDraft; readonly event: PlacedEvent['event'] }[],
): Promise<Map<number, RowOutcome>> {
  const placed = placedEvents(current, prompts);
  const served = await servedPrompts(
    transaction,
    placed.map((one) => one.placed),
  );
  const outcomes = new Map<number, RowOutcome>(prompts.map(({ draft }) => [draft.id, 'imported']));
  const unserved = placed.filter((one) => {
    const known = isServed(served, one.placed);
    if (known) outcomes.set(one.draft.id, 'present');
    return !known;
  });
  if (batch.dryRun) return outcomes;
  const results = await captureImported(
    transaction,
    unserved.map((one) => one.placed),
  );
  unserved.forEach((one, index) => outcomes.set(one.draft.id, results[index] ?? 'refused'));
  await settlePrompts(
    transaction,
    rows,
    batch.embeddingModel,
    unserved.filter((_one, index) => results[index] === 'imported').map((one) => one.placed),
  );
  return outcomes;
}

async function importNotes(
  transaction: TenantTransaction,
  { owner, embeddingModel }: ImportBatch,
  notes: readonly AcceptedDraftOf<'note'>[],
  projects: ReadonlyMap<string, string>,
): Promise<Map<number, RowOutcome>> {
  if (notes.length === 0) return new Map();
  const { visibility } = await readSharing(transaction, owner.tenantId);
  const stored = await storeMemories(
    transaction,
    { tenantId: owner.tenantId, userId: owner.userId, embeddingModel },
    notes.map(({ atMs, session, becomes: { note } }) => ({
      content: note.content,
      title: note.title,
      tags: note.tags,
      category: 'general',
      projectId: projects.get(note.project ?? session.project ?? '') ?? null,
      namespace: 'default',
      ownerId: ownerIdFor(visibility, owner.userId),
      confidence: 1,
      occurredAt: atMs === null ? null : new Date(atMs),
    })),
  );
  return new Map(notes.map((note, index) => [note.id, stored[index]?.isNew === true ? 'imported' : 'present']));
}

function projectNames(drafts: readonly AcceptedDraft[]): string[] {
  return drafts.flatMap(({ becomes, session }) => {
    const own =
      becomes.kind === 'summary' ? becomes.summary.project : becomes.kind === 'note' ? becomes.note.project : null;
    const name = own ?? (becomes.kind === 'note' ? session.project : null);
    return name === null ? [] : [name];
  });
}

/** Writes drafts whose sessions exist; returns the outcome of each by its id. */
export async function writeDrafts(
  transaction: TenantTransaction,
  rows: SourceRows,
  batch: ImportBatch,
  current: CurrentState,
  drafts: readonly AcceptedDraft[],
): Promise<{
  readonly outcomes: Map<number, RowOutcome>;
  readonly firstPrompts: number;
  readonly toHint: SessionId[];
}> {
  const sessionDrafts = drafts.filter((draft) => isStored(draft, 'session'));
  const outcomes = new Map<number, RowOutcome>(
    sessionDrafts.map((draft) => [draft.id, current.before.has(sessionKey(draft.session)) ? 'present' : 'imported']),
  );
  const add = (more: ReadonlyMap<number, RowOutcome>) => {
    for (const [id, outcome] of more) outcomes.set(id, outcome);
  };
  const first = await importPrompts(
    transaction,
    rows,
    batch,
    current,
    sessionDrafts.flatMap((draft) => (draft.becomes.prompt === null ? [] : [{ draft, event: draft.becomes.prompt }])),
  );
  add(
    await importPrompts(
      transaction,
      rows,
      batch,
      current,
      drafts.filter((draft) => isStored(draft, 'prompt')).map((draft) => ({ draft, event: draft.becomes.event })),
    ),
  );
  const raw = drafts.filter((draft) => isStored(draft, 'raw'));
  const summaries = drafts.filter((draft) => isStored(draft, 'summary'));
  const notes = drafts.filter((draft) => isStored(draft, 'note'));
  const firstPrompts = [...first.values()].filter((outcome) => outcome === 'imported').length;
  if (batch.dryRun) {
    add(new Map([...raw, ...summaries, ...notes].map(({ id }) => [id, 'imported'])));
    return { outcomes, firstPrompts, toHint: [] };
  }
  const placedRaw = placedEvents(
    current,
    raw.map((draft) => ({ draft, event: draft.becomes.event })),
  );
  const captured = await captureImported(
    transaction,
    placedRaw.map((one) => one.placed),
  );
  add(new Map(placedRaw.map((one, index) => [one.draft.id, captured[index] ?? 'refused'])));
  const projects = await projectsByName(transaction, rows.tenantId, projectNames(drafts));
  add(await importNotes(transaction, batch, notes, projects));
  const placed = summaries.flatMap(({ id, session: ref, atMs, becomes: { summary } }) => {
    const session = current.sessions.get(sessionKey(ref));
    if (session === undefined) return [];
    const projectId = (summary.project === null ? undefined : projects.get(summary.project)) ?? session.projectId;
    return [
      { sourceId: id, sessionId: session.id, userId: session.userId, projectId, atMs: atMs ?? UNKNOWN_MS, summary },
    ];
  });
  await writeImportedSummaries(transaction, rows, batch.embeddingModel, placed);
  add(new Map(placed.map(({ sourceId }) => [sourceId, 'imported'])));
  const lasts = new Map<string, number>();
  for (const { sessionId, atMs } of placed) lasts.set(sessionId, Math.max(atMs, lasts.get(sessionId) ?? 0));
  await extendSessions(transaction, lasts);
  const toHint = placedRaw
    .filter((_one, index) => captured[index] === 'imported')
    .map((one) => asId<SessionId>(one.placed.session.id));
  return { outcomes, firstPrompts, toHint: [...new Set(toHint)] };
}
