import type { CitedText, TopicSummaryDraft, WindowInput } from '../../domain/ports/model.ts';
import { shorten } from '../../domain/text/clean.ts';
import { termsOf } from '../../domain/text/terms.ts';
import { type Call, callsOf } from './calls.ts';
import { hasCue, isThin } from './cues.ts';
import { isRequest, requestOf } from './requests.ts';
import { changeStory, failureStory, passEvidence, whyOf } from './item-repairs.ts';
import { itemsOf } from './items.ts';
import { cite, citeLine, codeOf, distinct, listed, noteTitle, paragraph } from './notes.ts';
import { alreadySaid, diverse, type Scored, scored } from './ranking.ts';
import { changedFiles, openFailuresOf, repairsOf } from './repairs.ts';
import { sentencesOf } from './segments.ts';
import { actionItemsOf, withoutRepeats } from './todos.ts';

const MAX_SENTENCES = 6;
const MAX_KEY_POINTS = 7;
const MAX_ACTION_ITEMS = 6;
const MIN_KEY_POINT_SCORE = 0.25;

/** Summarises a window: every sentence stands in a row or is a light frame around words that do. */
export function topicOf(input: WindowInput): TopicSummaryDraft {
  const sentences = scored(sentencesOf(input.rows));
  const calls = callsOf(input.rows);
  const items = itemsOf(input.rows, sentences, calls);
  const request = requestOf(sentences);
  const statements = diverse(
    sentences.filter((sentence) => sentence !== request),
    MAX_SENTENCES - 2,
    MIN_KEY_POINT_SCORE,
  );
  const inOrder = [...statements].sort((a, b) => a.rowIndex - b.rowIndex || a.place - b.place);
  const asked =
    request === undefined ? precedingSentence(input.precedingRequest) : `Asked: "${shorten(request.text, 240)}"`;
  const work = workSentence(calls);
  return {
    title: titleOf(request, items[0]?.title, statements[0], input.precedingRequest, calls),
    content: paragraph([asked, ...inOrder.map(({ text }) => shorten(text, 320)), work].filter((text) => text !== '')),
    keyPoints: keyPointsOf(sentences, calls),
    actionItems: actionItemsOf(input.rows, sentences, MAX_ACTION_ITEMS),
    items,
  };
}

function titleOf(
  request: Scored | undefined,
  item: string | undefined,
  statement: Scored | undefined,
  preceding: string | null,
  calls: readonly Call[],
): string {
  if (request !== undefined && (item === undefined || isRequest(request))) return noteTitle(request.text);
  if (item !== undefined) return item;
  if (statement !== undefined) return noteTitle(statement.text);
  if (preceding !== null && !isThin(preceding)) return noteTitle(`Continued: ${preceding}`);
  const [first] = calls;
  return first === undefined
    ? 'Nothing to summarise'
    : noteTitle(first.row.title === '' ? first.input : first.row.title);
}

function precedingSentence(preceding: string | null): string {
  return preceding === null || isThin(preceding)
    ? ''
    : `Went on with: "${shorten(preceding.replaceAll(/\s+/gu, ' ').trim(), 200)}"`;
}

/** "Changed a.ts and ran `npm test`, which failed with …". */
function workSentence(calls: readonly Call[]): string {
  const repair = repairsOf(calls).findLast(({ edits }) => edits.length > 0);
  if (repair !== undefined) return `${failureStory(repair)}. ${changeStory(repair)}`;
  const files = changedFiles(calls.filter(({ edits }) => edits));
  const [failure] = openFailuresOf(calls).slice(-1);
  const parts = [
    ...(files.length > 0 ? [`Changed ${listed(files, 5)}`] : []),
    ...(failure ? [`${codeOf(failure.command?.line ?? failure.row.title)} still failed${whyOf(failure)}`] : []),
  ];
  if (parts.length > 0) return parts.join('. ');
  const commands = [...new Set(calls.flatMap(({ command }) => (command === null ? [] : [command.key])))];
  return commands.length > 0 ? `Ran ${listed(commands.map(codeOf), 4)}` : '';
}

function keyPointsOf(sentences: readonly Scored[], calls: readonly Call[]): readonly CitedText[] {
  const repairs = repairsOf(calls)
    .filter(({ edits }) => edits.length > 0)
    .slice(-2)
    .map((repair) => ({
      text: `${failureStory(repair)}. ${changeStory(repair)}.`,
      evidence: distinct([
        ...repair.failures
          .slice(-1)
          .flatMap(({ row, errorLine, input }) =>
            [...citeLine(row, errorLine), ...citeLine(row, input.split('\n')[0] ?? '')].slice(0, 1),
          ),
        ...passEvidence(repair.success),
      ]),
    }))
    .filter(({ evidence }) => evidence.length > 0);
  const open = openFailuresOf(calls)
    .slice(-1)
    .map((call) => ({
      text: `${codeOf(call.command?.line ?? call.row.title)} failed${whyOf(call)}.`,
      evidence: citeLine(call.row, call.errorLine),
    }))
    .filter(({ evidence }) => evidence.length > 0);
  const room = MAX_KEY_POINTS - repairs.length - open.length;
  const said = diverse(
    sentences.filter(({ text }) => !hasCue(text, 'next')),
    room,
    MIN_KEY_POINT_SCORE,
  )
    .filter(
      ({ terms }) =>
        !alreadySaid(
          terms,
          repairs.map(({ text }) => termsOf(text)),
        ),
    )
    .map((sentence) => ({ text: shorten(sentence.text, 320), evidence: [cite(sentence)] }));
  return withoutRepeats([...said, ...repairs, ...open]);
}
