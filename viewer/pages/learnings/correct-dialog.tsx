import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Learning } from '../../contract/index.ts';
import { AskError, ask } from '../../link/ask.ts';
import { Confirm } from '../../parts/dialog.tsx';
import { Choice, Field, TextArea } from '../../parts/fields.tsx';
import { Quoted, Text } from '../../parts/quoted.tsx';
import { inLanguage } from '../../texts/language.ts';
import { correct, wordsOf } from './changes.ts';
import { CATEGORIES, titleOf } from './filters.ts';
import { texts } from './texts.ts';

/** Returns the version that replaced one; null if it is current, or if none did. @throws AskError */
async function replacementOf(id: string): Promise<Learning | null> {
  const { versions } = await ask('GET /learnings/{id}', { path: { id } });
  const newest = versions.at(-1);
  if (newest === undefined || newest.id === id || newest.valid_to !== null) return null;
  return ask('GET /learnings/{id}', { path: { id: newest.id } });
}

/**
 * Writes a corrected version of a learning. If another user replaced the version meanwhile, the dialog shows the current text above the one that was
 * typed: nothing is overwritten before the user saw both.
 */
export function CorrectDialog(props: {
  readonly learning: Learning;
  /** Receives the id of the version that is current afterwards. */
  readonly onCurrent: (id: string) => void;
  readonly onClose: () => void;
}): JSX.Element {
  const t = inLanguage(texts);
  // The version that the user read: the page may show a later one behind the dialog.
  const [base, setBase] = useState(props.learning);
  const [words, setWords] = useState(() => wordsOf(props.learning));
  const [tags, setTags] = useState(() => props.learning.tags.join(', '));
  const [latest, setLatest] = useState<Learning | null>(null);
  const set = (change: Partial<typeof words>): void => setWords({ ...words, ...change });
  const save = async (): Promise<void> => {
    const given = tags
      .split(',')
      .map((tag) => tag.trim())
      .filter(Boolean);
    try {
      props.onCurrent((await correct(base, { ...words, tags: given })).id);
    } catch (fault) {
      const replacement = fault instanceof AskError && fault.code === 'CONFLICT' ? await replacementOf(base.id) : null;
      if (replacement === null) throw fault;
      setLatest(replacement);
      setBase(replacement);
      throw new AskError(t.conflict, { status: 409, code: 'CONFLICT', requestId: null, fields: [] });
    }
  };
  return (
    <Confirm
      title={t.correctTitle}
      action={latest === null ? t.save : t.replaceCurrent}
      onConfirm={save}
      onClose={props.onClose}
    >
      <div class="stack">
        {latest === null ? null : (
          <section class="note warn" aria-label={t.currentText}>
            <h3>{t.currentText}</h3>
            <p>
              <strong>
                <Text text={titleOf(latest)} />
              </strong>
            </p>
            <Quoted text={latest.description} />
            <p>{t.yourText}</p>
            <button
              type="button"
              onClick={() => {
                props.onClose();
                props.onCurrent(latest.id);
              }}
            >
              {t.takeCurrent}
            </button>
          </section>
        )}
        <Field label={t.fieldTitle} maxLength={200} value={words.title ?? ''} onValue={(title) => set({ title })} />
        <TextArea
          label={t.fieldDescription}
          rows={6}
          value={words.description ?? ''}
          onValue={(description) => set({ description })}
        />
        <TextArea label={t.context} rows={2} value={words.context ?? ''} onValue={(context) => set({ context })} />
        <Choice
          label={t.category}
          value={words.category ?? base.category}
          options={CATEGORIES.map((value) => ({ value, text: t.categories[value] }))}
          onValue={(category) => set({ category })}
        />
        <Field label={t.tags} hint={t.tagsHint} value={tags} onValue={setTags} />
      </div>
    </Confirm>
  );
}
