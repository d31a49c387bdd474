import type { Bounds } from '../../domain/access.ts';
import { CLOCK_SKEW_MS } from '../../domain/capture/build-event.ts';
import type { NeighbourDependencies } from '../../activities/learning/compare-drafts.ts';
import { rememberCompared } from '../../activities/learning/remember-compared.ts';
import type { MemoryGiver } from '../../activities/learning/remember-compared.ts';
import { DEFAULT_VISIBILITY, ownerIdFor } from '../../domain/learning/visibility.ts';
import type { Visibility } from '../../domain/learning/visibility.ts';
import { viewOfUser } from '../../stores/postgres/connection/database.ts';
import { readSharing } from '../../stores/postgres/learnings/sharing.ts';
import type { HeavyEvents } from '../intake/heavy-events.ts';
import type { LearningEditor } from '../../stores/postgres/learnings/learning-changes.ts';
import { MemoryLost, storeMemories } from '../../stores/postgres/memories/memory-writes.ts';
import type { RememberedMemory, StoredMemory } from '../../stores/postgres/memories/memory-writes.ts';
import { findOrMakeProject } from '../../stores/postgres/projects/project-changes.ts';
import { findProject } from '../../stores/postgres/projects/projects.ts';
import type { ErrorDetail } from '../errors.ts';
import { isEmptied, redacted } from './hand-written.ts';
import { Breather } from '../intake/breather.ts';
import { MAX_COMPARED, memoryInput } from '../../contract/memory.ts';
import type { MemoryCorrection, MemoryInput } from '../../contract/memory.ts';

/** Outcome of one memory of a request: the stored memory, or the field that caused its rejection. */
export type Remembered = StoredMemory | Refusal;

interface Refusal {
  readonly refused: ErrorDetail;
  /** The memory is outside the bounds of the key. */
  readonly isOutside?: true;
}

/** Who remembers memories, and the bounds of the key; null: none. */
interface Rememberer extends MemoryGiver {
  readonly bounds: Bounds | null;
}

/** Embedding one memory and its neighbours may take so long, and all of a request together; then words alone are compared. */
const COMPARING_MS = 3_000;
const COMPARING_ALL_MS = 15_000;
/** The worst text of this size takes some ten milliseconds. */
const LONG_CHARS = 16 * 1024;
const DEFAULT_CONFIDENCE = 0.8;
/** Content of one transaction: a batch of large texts is committed in parts, each prepared without a pause that other requests notice. */
const PART_CHARS = 256 * 1024;

type Checked = MemoryInput | Refusal;

function refusal(field: string, message: string): Refusal {
  return { refused: { field, message } };
}

/** Returns why a memory is outside the bounds of a key; null if it is within. A project of another name does not exist for the key. */
function outsideOf(bounds: Bounds | null, { namespace, projectId }: RememberedMemory): Refusal | null {
  const { namespaces = [], projects = [] } = bounds ?? {};
  if (namespaces.length > 0 && !namespaces.includes(namespace))
    return { ...refusal('namespace', 'is not one of your key'), isOutside: true };
  if (projects.length > 0 && (projectId === null || !projects.includes(projectId)))
    return { ...refusal('project', 'is not one of your key'), isOutside: true };
  return null;
}

/** Redacts the text of a memory; a long one beside the event loop. */
export function redactedContent(heavy: HeavyEvents, userId: string, content: string): Promise<string> | string {
  return content.length > LONG_CHARS ? heavy.redactText(userId, content) : redacted(content);
}

/** Returns a correction as it may be stored until an admin decides: private text and secrets are removed. */
export async function redactedCorrection(
  heavy: HeavyEvents,
  userId: string,
  { content, title, tags, ...rest }: MemoryCorrection,
): Promise<MemoryCorrection> {
  return {
    ...rest,
    ...(content === undefined ? {} : { content: await redactedContent(heavy, userId, content) }),
    ...(title === undefined ? {} : { title: redacted(title) }),
    ...(tags === undefined ? {} : { tags: redactedTags(tags) }),
  };
}

/** A memory as it may be stored, or why not: private text and secrets are taken out first. */
async function checked(
  value: unknown,
  now: number,
  redact: (content: string) => Promise<string> | string,
): Promise<Checked> {
  const parsed = memoryInput.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return refusal(issue?.path.join('.') ?? '', issue?.message ?? 'is not valid');
  }
  const memory = parsed.data;
  const content = await redact(memory.content);
  if (isEmptied(content)) return refusal('content', 'is empty without private text');
  if (memory.occurred_at !== undefined && Date.parse(memory.occurred_at) > now + CLOCK_SKEW_MS)
    return refusal('occurred_at', 'is in the future');
  const title = memory.title === undefined ? undefined : redacted(memory.title);
  const project = memory.project === undefined ? undefined : projectNamed(memory.project);
  if (project !== undefined && isEmptied(project)) return refusal('project', 'is empty without private text');
  return {
    ...memory,
    content,
    project,
    title: title === undefined || isEmptied(title) ? undefined : title,
    tags: redactedTags(memory.tags),
  };
}

/** Returns the redacted name of a project on one line: it heads the context of agents. */
function projectNamed(given: string): string {
  return redacted(given.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' '));
}

/** Tags as they may be stored, each once. */
export function redactedTags(tags: readonly string[]): string[] {
  return [...new Set(tags.map(redacted).filter((tag) => tag !== ''))];
}

function stored(memory: MemoryInput, projectId: string | null, ownerId: string | null, now: number): RememberedMemory {
  const { content, title = '', tags, category, namespace, importance, confidence } = memory;
  const at = memory.occurred_at === undefined ? null : Math.min(Date.parse(memory.occurred_at), now);
  return {
    content,
    title,
    tags,
    category,
    projectId,
    namespace,
    ownerId,
    confidence: importance ?? confidence ?? DEFAULT_CONFIDENCE,
    occurredAt: at === null ? null : new Date(at),
  };
}

interface Placed {
  readonly index: number;
  readonly memory: RememberedMemory;
  readonly infer: boolean;
}

/** Memories in parts of bounded size, in order. */
function partsOf(placed: readonly Placed[]): readonly (readonly Placed[])[] {
  const parts: Placed[][] = [];
  let chars = Infinity;
  for (const each of placed) {
    if (chars + each.memory.content.length > PART_CHARS) {
      parts.push([]);
      chars = 0;
    }
    parts.at(-1)?.push(each);
    chars += each.memory.content.length;
  }
  return parts;
}

/** Stores memories that a user or an agent creates. */
export function createRemembering(dependencies: NeighbourDependencies, heavy: HeavyEvents) {
  const { database } = dependencies;

  /** Projects by what they are called; those that are not known are made before, in a transaction of their own, so that captures do not wait for a batch. */
  const projectsOf = async ({ tenantId, userId, bounds }: Rememberer, names: readonly string[]) => {
    const projects = new Map<string, string | null>();
    for (const name of new Set(names))
      projects.set(
        name,
        // A key that is bound to projects creates none. To other keys a project is hidden until it has a row within their namespaces.
        (bounds?.projects.length ?? 0) > 0
          ? await database.asTenant(
              { tenantId, viewerId: userId, bounds },
              async (transaction) => (await findProject(transaction, name))?.id ?? null,
            )
          : await database.asTenant(tenantId, (transaction) => findOrMakeProject(transaction, tenantId, name)),
      );
    return projects;
  };

  /** Visibility of memories that state none: the setting of the tenant, if there are any. */
  const visibilityFor = async (editor: Rememberer, items: readonly Checked[]): Promise<Visibility> => {
    if (items.every((item) => 'refused' in item || item.visibility !== undefined)) return DEFAULT_VISIBILITY;
    const sharing = await database.asTenant(editor.tenantId, (transaction) =>
      readSharing(transaction, editor.tenantId),
    );
    return sharing.visibility;
  };

  const storeOnce = (editor: LearningEditor, memories: readonly RememberedMemory[]) =>
    database.asTenant(viewOfUser(editor.tenantId, editor.userId), (transaction) =>
      storeMemories(transaction, editor, memories),
    );

  const store = async (editor: LearningEditor, memories: readonly RememberedMemory[]) => {
    try {
      return await storeOnce(editor, memories);
    } catch (error) {
      if (!(error instanceof MemoryLost)) throw error;
      return storeOnce(editor, memories);
    }
  };

  return {
    /** Stores memories in order; a bad one never spoils its neighbours. Written are those that are answered with an id, whatever happens later. */
    async remember(editor: Rememberer, given: readonly unknown[]): Promise<readonly Remembered[]> {
      const now = Date.now();
      const breather = new Breather();
      const redact = (content: string) => redactedContent(heavy, editor.userId, content);
      const items: Checked[] = [];
      for (const value of given) {
        items.push(await checked(value, now, redact));
        await breather.breathe();
      }
      const named = items.flatMap((item) => ('refused' in item || item.project === undefined ? [] : [item.project]));
      const projects = await projectsOf(editor, named);
      const visibility = await visibilityFor(editor, items);
      const results: Remembered[] = [];
      const placed: Placed[] = [];
      let compared = 0;
      for (const [index, item] of items.entries()) {
        if ('refused' in item) {
          results[index] = item;
          continue;
        }
        const projectId = item.project === undefined ? null : (projects.get(item.project) ?? null);
        const ownerId = ownerIdFor(item.visibility ?? visibility, editor.userId);
        const memory = stored(item, projectId, ownerId, now);
        const outside = outsideOf(editor.bounds, memory);
        if (outside !== null) {
          results[index] = outside;
          continue;
        }
        if (item.project !== undefined && projectId === null) {
          results[index] = refusal('project', 'there is no such project');
          continue;
        }
        if (item.infer) compared += 1;
        if (item.infer && compared > MAX_COMPARED)
          results[index] = refusal('infer', `is taken of ${MAX_COMPARED} memories of a request`);
        else placed.push({ index, memory, infer: item.infer });
      }
      for (const part of partsOf(placed.filter(({ infer }) => !infer))) {
        const ids = await store(
          editor,
          part.map(({ memory }) => memory),
        );
        for (const [n, { index }] of part.entries()) {
          const result = ids[n];
          if (result !== undefined) results[index] = result;
        }
      }
      // One after the other: each is compared with those before it, too.
      const all = AbortSignal.timeout(COMPARING_ALL_MS);
      for (const { index, memory } of placed.filter(({ infer }) => infer)) {
        const signal = AbortSignal.any([all, AbortSignal.timeout(COMPARING_MS)]);
        results[index] = await rememberCompared(dependencies, editor, memory, signal);
      }
      return results;
    },
  };
}
