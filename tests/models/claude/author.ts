import { createHash } from 'node:crypto';
import { type MessagesRequest, userTextOf } from './server/protocol.ts';
import type { Reply } from './server/replies.ts';

/** One marked piece of a request. */
interface Shown {
  /** Short id of a row ("R3") or of something known ("K1"); empty for other pieces. */
  readonly id: string;
  readonly label: string;
  readonly body: string;
}

interface Quote {
  readonly row: string;
  readonly quote: string;
}

const GAP = /^\[… \d+ characters left out\]$/u;
const FAILED = /\b(?:error|failed|failure|exception|traceback|cannot|not found|exit code [1-9])\b/iu;
const PASSED = /\b(?:passed|success|ok|done|created|completed)\b/iu;
const DECIDED = /\b(?:always|never|must|should|decid|instead|prefer|don't|do not)\b/iu;

/**
 * Simulates the model: returns a deterministic response of realistic size in the request's schema, each claim with a quote of a shown
 * row. It understands nothing; with it, complete sessions run through the adapter.
 */
export function authoredReply(request: MessagesRequest): Reply {
  const shown = shownIn(userTextOf(request));
  const schema = JSON.stringify(request.output_config?.format.schema ?? {});
  if (schema.includes('"learnings"')) return { kind: 'message', answer: learnings(shown) };
  return { kind: 'message', answer: schema.includes('"nextSteps"') ? session(shown) : topic(shown) };
}

function shownIn(text: string): readonly Shown[] {
  const mark = /^\[(\d{6}) /mu.exec(text)?.[1];
  if (mark === undefined) return [];
  return text
    .split(new RegExp(`^\\[${mark} `, 'mu'))
    .slice(1)
    .map((piece) => {
      const end = piece.indexOf('\n');
      const head = (end < 0 ? piece : piece.slice(0, end)).replace(/\]$/u, '');
      const id = /^[RK]\d+\b/u.exec(head)?.[0] ?? '';
      return { id, label: head.slice(id.length).trim(), body: end < 0 ? '' : piece.slice(end + 1).trimEnd() };
    })
    .filter(({ label }) => label !== 'end');
}

/** The lines of a piece that may be quoted, shortened to a run of some ten words. */
function quotesOf({ id, body }: Shown): readonly Quote[] {
  return body
    .split('\n')
    .filter((line) => line.trim().length >= 8 && !GAP.test(line))
    .map((line) => ({ row: id, quote: line.trim().slice(0, 72).toWellFormed().trim() }))
    .filter(({ quote }) => !quote.includes('\uFFFD'));
}

/** Evidence of a summary or an item: the text after "|" in its lines. */
function repeatedQuotes({ body }: Shown): readonly Quote[] {
  return body.split('\n').flatMap((line) => {
    const found = /\| (R\d+): (.+)$/u.exec(line);
    return found?.[1] === undefined || found[2] === undefined ? [] : [{ row: found[1], quote: found[2].trim() }];
  });
}

/** A number from 0 below `bound` that hangs on the text alone. */
function pick(text: string, bound: number): number {
  return bound === 0 ? 0 : createHash('sha256').update(text).digest().readUInt32BE(0) % bound;
}

function words(text: string, count: number): string {
  return text.replaceAll(/\s+/gu, ' ').trim().split(' ').slice(0, count).join(' ').slice(0, 160).toWellFormed();
}

function topic(shown: readonly Shown[]): unknown {
  const rows = shown.filter(({ id }) => id.startsWith('R'));
  const prompts = rows.filter(({ label }) => label === 'user');
  const replies = rows.filter(({ label }) => label === 'assistant');
  const tools = rows.filter((row) => !prompts.includes(row) && !replies.includes(row));
  const quotes = rows.flatMap(quotesOf);
  const request = words(prompts[0]?.body ?? rows[0]?.body ?? 'the session', 16);
  const outcome = words(replies.at(-1)?.body ?? tools.at(-1)?.body ?? '', 28);
  const picked = spread(quotes, Math.min(4, 2 + Math.floor(rows.length / 12)));
  return {
    title: words(`${request}: ${outcome}`, 14).slice(0, 90),
    content: [
      `The user requested: ${request}.`,
      `The work took ${String(tools.length)} tool calls, the first of which was ${words(tools[0]?.body ?? 'none', 9)}.`,
      ...(outcome === '' ? [] : [`At the end of the window the record shows: ${outcome}.`]),
      ...(rows.length > 8
        ? [`In between it came to this: ${words(tools[Math.floor(tools.length / 2)]?.body ?? '', 14)}.`]
        : []),
    ].join(' '),
    keyPoints: picked.map((evidence) => ({
      text: `The record shows that ${words(evidence.quote, 12)}.`,
      evidence: [evidence],
    })),
    actionItems:
      replies.length > 0 && rows.length > 10
        ? [actionItem(replies.flatMap(quotesOf))].filter((item) => item !== null)
        : [],
    items: items(rows),
  };
}

function actionItem(quotes: readonly Quote[]): unknown {
  const quote = quotes.find(({ quote }) => /\b(?:next|todo|later|still|remain)/iu.test(quote));
  return quote === undefined ? null : { text: `Go on with ${words(quote.quote, 8)}.`, evidence: [quote] };
}

function spread<Value>(values: readonly Value[], count: number): readonly Value[] {
  if (values.length <= count) return values;
  return Array.from(
    { length: count },
    (_, index) => values[Math.floor(((index + 0.5) * values.length) / count)],
  ).filter((value) => value !== undefined);
}

function items(rows: readonly Shown[]): readonly unknown[] {
  const quotes = rows.filter(({ label }) => label !== 'user').flatMap(quotesOf);
  const failure = quotes.find(({ quote }) => FAILED.test(quote));
  const success = quotes.findLast(({ quote }) => PASSED.test(quote));
  const rule = rows
    .filter(({ label }) => label === 'user')
    .flatMap(quotesOf)
    .find(({ quote }) => DECIDED.test(quote));
  const edit = rows.find(({ label }) => label === 'Edit' || label === 'Write');
  const change = edit === undefined ? undefined : quotesOf(edit).at(-1);
  return [
    ...(failure === undefined ? [] : [item(success === undefined ? 'discovery' : 'bugfix', failure, success)]),
    ...(rule === undefined ? [] : [item('decision', rule, undefined)]),
    ...(change === undefined || rows.length < 4 ? [] : [item('change', change, undefined)]),
  ];
}

function item(kind: string, first: Quote, second: Quote | undefined): unknown {
  const what = words(first.quote, 10);
  return {
    kind,
    title: what.slice(0, 80),
    content: `The record shows ${what}${second === undefined ? '' : `, and afterwards ${words(second.quote, 10)}`}. It was noted because later work builds on it.`,
    tags: [
      kind,
      ...what
        .toLowerCase()
        .split(' ')
        .filter((word) => /^[a-z][a-z.]{3,}$/u.test(word))
        .slice(0, 3),
    ],
    importance: 0.3 + pick(what, 6) / 10,
    evidence: [first, ...(second === undefined || second.row === first.row ? [] : [second])],
  };
}

function session(shown: readonly Shown[]): unknown {
  const prompts = shown.filter(({ id, label }) => id.startsWith('R') && label === 'user');
  const replies = shown.filter(({ id, label }) => id.startsWith('R') && label === 'assistant');
  const topics = shown.filter(({ label }) => label === 'summary');
  const found = shown.filter(({ label }) => label.startsWith('item'));
  const quotes = [...topics, ...found].flatMap(repeatedQuotes);
  const cited = spread(quotes.length > 0 ? quotes : prompts.flatMap(quotesOf), 4);
  const about = (piece: Shown | undefined, count: number) => words(piece?.body ?? '', count);
  return {
    title: words(topics[0]?.body ?? prompts[0]?.body ?? 'A session', 12).slice(0, 90),
    request: `The user requested: ${about(prompts[0], 20)}.`,
    investigated: topics.length === 0 ? '' : `Examined ${about(topics[0], 24)}.`,
    learned: found.length === 0 ? '' : `It was found that ${about(found[0], 20)}.`,
    completed: `In the end: ${about(topics.at(-1) ?? replies.at(-1), 30)}.`,
    nextSteps: replies.length === 0 ? '' : `To continue: ${about(replies.at(-1), 12)}.`,
    notes: prompts.length < 2 ? '' : `The user also wrote: ${about(prompts.at(-1), 16)}.`,
    keyPoints: cited.map((evidence) => ({
      text: `It is true that ${words(evidence.quote, 12)}.`,
      evidence: [evidence],
    })),
    actionItems: [],
  };
}

function learnings(shown: readonly Shown[]): unknown {
  const known = shown.filter(({ id }) => id.startsWith('K'));
  const repeated = shown.filter(({ label }) => label.startsWith('item')).flatMap(repeatedQuotes);
  const rules = shown
    .filter(({ label }) => label === 'user')
    .flatMap(quotesOf)
    .filter(({ quote }) => DECIDED.test(quote));
  const picked = [...spread(repeated, 3), ...spread(rules, 1)];
  return {
    learnings: picked.map((evidence) => {
      const title = words(evidence.quote, 10).slice(0, 80);
      const same = known.find(({ body }) => body.split('\n')[0] === title);
      return {
        category: FAILED.test(evidence.quote) ? 'solution' : DECIDED.test(evidence.quote) ? 'best_practice' : 'general',
        title,
        description: `In this project the record shows: ${words(evidence.quote, 16)}. Keep to it when working on the same part again.`,
        context: 'Work on the same files.',
        examples: [],
        tags: title
          .toLowerCase()
          .split(' ')
          .filter((word) => /^[a-z][a-z.]{3,}$/u.test(word))
          .slice(0, 3),
        confidence: 0.7,
        relation: { kind: same === undefined ? 'new' : 'same', known: same?.id ?? '' },
        evidence: [evidence],
      };
    }),
  };
}
