import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Context } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import type { CallOf } from '../../link/ask.ts';
import { useAct } from '../../parts/act.tsx';
import { Copy } from '../../parts/copy.tsx';
import { Choice, Field, TextArea } from '../../parts/fields.tsx';
import { Quoted, Text } from '../../parts/quoted.tsx';
import { Empty } from '../../parts/states.tsx';
import { useQuery } from '../../router/router.ts';
import type { StateOf } from '../../router/query.ts';
import { inLanguage } from '../../texts/language.ts';
import { MemoryText } from './memory.tsx';
import { texts } from './texts.ts';
import { LEAST_TOKENS, MOST_TOKENS, PURPOSES, VIEW } from './view.ts';

type Body = CallOf<'POST /context'>['body'];

function bodyOf({ purpose, project, prompt, file }: StateOf<typeof VIEW>, budget: number): Body {
  const common = { project, budget_tokens: budget, preview: true };
  if (purpose === 'prompt') return { ...common, purpose, prompt: prompt ?? '' };
  if (purpose === 'file') return { ...common, purpose, file: file ?? '' };
  return { ...common, purpose: 'session_start' };
}

/** Returns what the block contains of a memory, which ends with its hash; null if it is not found. */
function lineOf(block: string, hash: string): string | null {
  const end = block.indexOf(`[${hash}]`);
  const start = block.lastIndexOf('\n- ', end);
  return end === -1 || start === -1
    ? null
    : block
        .slice(start + 3, end)
        .replaceAll(/\s+/g, ' ')
        .trim();
}

/** A memory of the previewed context, with its reason and its share of the budget. */
function PreviewItem(props: { readonly item: Context['items'][number]; readonly block: string }): JSX.Element {
  const { item, block } = props;
  const line = lineOf(block, item.hash);
  const t = inLanguage(texts);
  const [isOpen, setIsOpen] = useState(false);
  return (
    <li class="served-item">
      <p class="line">
        <span class="badge">{t.types[item.type]}</span>
        {line === null ? null : <Text text={line} />}
        <span class="details">
          <Text text={item.reason} /> · {t.tokens(item.tokens)} · {t.score(item.score.toFixed(2))}
        </span>
        <button type="button" class="quiet" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
          {isOpen ? t.less : t.text}
          <span class="off-screen">: {item.hash}</span>
        </button>
      </p>
      {isOpen ? <MemoryText id={item.id} /> : null}
    </li>
  );
}

function Packed({ context, budget }: { readonly context: Context; readonly budget: number }): JSX.Element {
  const t = inLanguage(texts);
  const { items, text, tokens, omitted } = context;
  if (items.length === 0) return <Empty title={t.nothingFits}>{t.whyNothing}</Empty>;
  return (
    <section>
      <h2>{t.result}</h2>
      <p class="line" role="status">
        <meter min={0} max={budget} value={tokens} aria-label={t.ofBudget(tokens, budget)} />
        {t.ofBudget(tokens, budget)}
        {omitted === 0 ? null : <span class="warn">{t.omitted(omitted)}</span>}
      </p>
      <h3>{t.itemsTitle(items.length)}</h3>
      <ul>
        {items.map((item) => (
          <PreviewItem key={item.id} item={item} block={text} />
        ))}
      </ul>
      <h3>
        {t.block} <Copy text={text} />
      </h3>
      <Quoted text={text} />
    </section>
  );
}

/** What an agent would be served now, by purpose, project and budget. Nothing is recorded as served. */
export function Preview(): JSX.Element {
  const t = inLanguage(texts);
  const [view, change] = useQuery(VIEW);
  const [shown, setShown] = useState<{ readonly context: Context; readonly budget: number } | null>(null);
  const act = useAct();
  const { error } = act;
  const { purpose = 'session_start' } = view;
  // What is being typed may be no budget yet; the address has the last possible one.
  const [budgetText, setBudgetText] = useState(String(view.budget));
  const preview = async (): Promise<void> => {
    const budget = Number(budgetText);
    setShown({ context: await ask('POST /context', { body: bodyOf(view, budget) }), budget });
  };
  const replace = { replace: true };
  return (
    <>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          act.run(preview);
        }}
      >
        <div class="filters">
          <Choice
            label={t.purpose}
            value={purpose}
            options={PURPOSES.map((value) => ({ value, text: t.purposes[value] }))}
            onValue={(value) => change({ purpose: value === 'session_start' ? undefined : value })}
          />
          <Field
            label={t.project}
            hint={t.projectHint}
            required={purpose === 'session_start'}
            value={view.project ?? ''}
            fault={error?.fault('project')}
            onValue={(project) => change({ project: project || undefined }, replace)}
          />
          <Field
            label={t.budget}
            hint={t.budgetHint(LEAST_TOKENS, MOST_TOKENS)}
            type="number"
            required
            value={budgetText}
            fault={error?.fault('budget_tokens')}
            onValue={(value) => {
              setBudgetText(value);
              change({ budget: VIEW.budget.read(value) }, replace);
            }}
          />
        </div>
        {purpose === 'prompt' ? (
          <TextArea
            label={t.prompt}
            value={view.prompt ?? ''}
            fault={error?.fault('prompt')}
            onValue={(prompt) => change({ prompt: prompt || undefined }, replace)}
          />
        ) : null}
        {purpose === 'file' ? (
          <Field
            label={t.file}
            required
            value={view.file ?? ''}
            fault={error?.fault('file')}
            onValue={(file) => change({ file: file || undefined }, replace)}
          />
        ) : null}
        <button type="submit" class="primary" disabled={act.isRunning}>
          {t.preview}
        </button>
      </form>
      {act.note}
      {shown === null ? null : <Packed {...shown} />}
    </>
  );
}
