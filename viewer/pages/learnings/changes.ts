import { signal } from '@preact/signals';
import type { ChangedLearning, Learning } from '../../contract/index.ts';
import { asAskError, ask } from '../../link/ask.ts';
import type { AskError, CallOf } from '../../link/ask.ts';
import { mayChangeOf, me } from '../../link/me.ts';
import { invalidate } from '../../link/resource.ts';
import { showToast } from '../../parts/toast.tsx';
import { inLanguage } from '../../texts/language.ts';
import { settledAt, withChange, withoutChange } from './pending.ts';
import type { PendingChanges } from './pending.ts';
import { texts } from './texts.ts';

/** Changes that the lists show before the server answers. */
export const pending = signal<PendingChanges>(new Map());

/** The last change that failed, with what repeats it. */
export const failed = signal<{ readonly error: AskError; readonly again: () => void } | null>(null);

/** Rejected items of the last change of many. */
export const rejected = signal<readonly ChangedLearning[]>([]);

/** Takes the last change back, once; null if there is none. */
const lastUndo = signal<(() => Promise<unknown>) | null>(null);

/** Whether to offer changes of a learning: to its owner and admins. */
export function mayChange({ user_id: owner }: Learning): boolean {
  return mayChangeOf(owner);
}

/** Whether to offer verification: to admins, and to users if a setting of the server allows it. */
export function mayVerify(): boolean {
  return me.value?.may_verify === true;
}

function offerUndo(text: string, undo: () => Promise<unknown>): void {
  const run = (): Promise<unknown> => {
    if (lastUndo.peek() === run) lastUndo.value = null;
    return undo();
  };
  lastUndo.value = run;
  showToast({ text, undo: () => void attempt(run) });
}

/** Takes the last change back. */
export function undoLast(): void {
  const undo = lastUndo.peek();
  const t = inLanguage(texts);
  if (undo === null) showToast({ text: t.nothingToUndo });
  else void attempt(undo);
}

/** Runs a request; an error is shown with a button that repeats it. Returns whether it succeeded. */
export async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  failed.value = null;
  try {
    await work();
    return true;
  } catch (fault) {
    failed.value = { error: asAskError(fault), again: () => void attempt(work) };
    return false;
  } finally {
    invalidate('/learnings');
  }
}

/** Shows a change at once, and takes it back if the server rejects it. @throws AskError */
async function shown<Answer>(
  ids: readonly string[],
  change: Partial<Learning>,
  request: () => Promise<Answer>,
): Promise<Answer> {
  pending.value = withChange(pending.peek(), ids, change);
  try {
    const answer = await request();
    pending.value = settledAt(pending.peek(), ids, Date.now());
    return answer;
  } catch (fault) {
    pending.value = withoutChange(pending.peek(), ids);
    throw fault;
  }
}

/** Text fields of a learning that a correction sets. */
export type Words = CallOf<'PUT /learnings/{id}'>['body'];

export function wordsOf({ title, description, category, context, examples, tags }: Learning): Required<Words> {
  return { title, description, category, context, examples, tags };
}

/** Verifies; undone by the opposite. */
export function verify({ id }: Learning): Promise<boolean> {
  const t = inLanguage(texts);
  return attempt(async () => {
    await shown([id], { verified: true }, () => ask('POST /learnings/{id}/verify', { path: { id }, body: {} }));
    offerUndo(t.verifiedNow, () =>
      shown([id], { verified: false }, () => ask('POST /learnings/{id}/unverify', { path: { id } })),
    );
  });
}

/** Closes with a reason; undone by reopening. */
export function invalidateLearning({ id }: Learning, reason: string): Promise<boolean> {
  const t = inLanguage(texts);
  return attempt(async () => {
    await shown([id], { valid_to: new Date().toISOString(), reason }, () =>
      ask('POST /learnings/{id}/invalidate', { path: { id }, body: { reason } }),
    );
    offerUndo(t.invalidated, () => ask('POST /learnings/{id}/reopen', { path: { id }, body: { reason: t.undone } }));
  });
}

/** Sets who reads it; undone by the opposite. */
export function share({ id, version }: Learning, visibility: Learning['visibility']): Promise<boolean> {
  const t = inLanguage(texts);
  const set = (to: Learning['visibility']): Promise<Learning> =>
    shown([id], { visibility: to }, () =>
      ask('PUT /learnings/{id}/visibility', { path: { id }, body: { visibility: to, version } }),
    );
  return attempt(async () => {
    await set(visibility);
    offerUndo(visibility === 'shared' ? t.sharedNow : t.privateNow, () =>
      set(visibility === 'shared' ? 'private' : 'shared'),
    );
  });
}

/** Writes a corrected version and returns it. @throws AskError CONFLICT if the version was replaced meanwhile */
export async function correct(base: Learning, words: Words): Promise<Learning> {
  const t = inLanguage(texts);
  const answer = await ask('PUT /learnings/{id}', { path: { id: base.id }, body: words });
  invalidate('/learnings');
  offerUndo(t.corrected, () => ask('PUT /learnings/{id}', { path: { id: answer.id }, body: wordsOf(base) }));
  return answer;
}

type Batch = CallOf<'POST /learnings/batch'>['body'];

const OPPOSITE = {
  verify: 'unverify',
  unverify: 'verify',
  invalidate: 'reopen',
  share: 'unshare',
  unshare: 'share',
} as const;

const SHOWN: Readonly<Record<Batch['action'], Partial<Learning>>> = {
  verify: { verified: true },
  unverify: { verified: false },
  invalidate: { valid_to: new Date(0).toISOString() },
  reopen: {},
  share: { visibility: 'shared' },
  unshare: { visibility: 'private' },
};

/** Changes many. Rejected ones return to the list and are named; the changed ones can be taken back. */
export function changeMany(batch: Batch): Promise<boolean> {
  const t = inLanguage(texts);
  rejected.value = [];
  const { ids, action } = batch;
  return attempt(async () => {
    const { items } = await shown(ids, SHOWN[action], () => ask('POST /learnings/batch', { body: batch }));
    rejected.value = items.filter(({ status }) => status === 'rejected');
    pending.value = withoutChange(
      pending.peek(),
      rejected.value.map(({ index }) => ids[index] ?? ''),
    );
    const changed = items.flatMap(({ status, id }) => (status === 'changed' && id !== null ? [id] : []));
    const text = t.changedMany(changed.length);
    if (changed.length === 0 || action === 'reopen') showToast({ text });
    else {
      const opposite = OPPOSITE[action];
      const undo: Batch =
        opposite === 'reopen'
          ? { action: opposite, ids: changed, reason: t.undone }
          : { action: opposite, ids: changed };
      offerUndo(text, () => shown(changed, SHOWN[opposite], () => ask('POST /learnings/batch', { body: undo })));
    }
  });
}
