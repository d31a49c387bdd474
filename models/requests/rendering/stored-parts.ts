import type { CitedText, Evidence, KnownLearning, StoredItem, StoredTopic } from '../../../domain/ports/model.ts';
import { shorten, verbatimHead } from '../../../domain/text/clean.ts';
import type { ShortIds } from './marks.ts';
import type { Part } from './parts.ts';
import { type Limits, linesPart } from './text-part.ts';

const QUOTE_CHARACTERS = 120;
const CONTENT_CHARACTERS = 420;
const ITEM_CHARACTERS = 200;
const KNOWN_TITLES = 8;
const KNOWN_TITLE_CHARACTERS = 90;
const KNOWN_DESCRIPTIONS = 6;
const KNOWN_CHARACTERS = 180;

/** A window's summary for the session summary: content, then points with their evidence. */
export function fullTopicPart(topic: StoredTopic, ids: ShortIds): Part {
  return topicPart(topic, ids, true, { weight: 5, cap: 220, floor: 90 });
}

/** A window's summary for learnings, which derive from points and items. */
export function pointedTopicPart(topic: StoredTopic, ids: ShortIds): Part {
  return topicPart(topic, ids, false, { weight: 2.5, cap: 100, floor: 40 });
}

function topicPart(topic: StoredTopic, ids: ShortIds, withContent: boolean, limits: Limits): Part {
  return linesPart(
    'summary',
    [
      topic.title,
      ...(withContent ? [shorten(topic.content, CONTENT_CHARACTERS)] : []),
      ...points(ids, '- ', topic.keyPoints),
      ...points(ids, 'to do: ', topic.actionItems),
    ],
    limits,
  );
}

/** An item for the session summary, which also has the windows' summaries. */
export function namedItemPart(item: StoredItem, ids: ShortIds): Part {
  return itemPart(item, ids, false, { weight: 2 + item.importance, cap: 50, floor: 26 });
}

/** An item for learnings, which derive from it. */
export function fullItemPart(item: StoredItem, ids: ShortIds): Part {
  return itemPart(item, ids, true, { weight: 4 + item.importance, cap: 120, floor: 50 });
}

function itemPart(item: StoredItem, ids: ShortIds, withContent: boolean, limits: Limits): Part {
  return linesPart(
    `item ${item.kind}`,
    [`${item.title}${quoted(ids, item.evidence)}`, ...(withContent ? [shorten(item.content, ITEM_CHARACTERS)] : [])],
    limits,
  );
}

/** Known learnings for a window: titles suffice to recognise repetition. */
export function knownTitlesPart(known: readonly KnownLearning[]): Part {
  return linesPart(
    'known',
    known.slice(0, KNOWN_TITLES).map(({ title }) => `- ${shorten(title, KNOWN_TITLE_CHARACTERS)}`),
    { weight: 2, cap: 110, floor: 20 },
  );
}

/** Known learnings for learnings: each with a short id, the nearest with their text. */
export function knownParts(known: readonly KnownLearning[], ids: ShortIds): readonly Part[] {
  return known.map(({ id, title, description }, index) =>
    linesPart(
      ids.shortOf(id),
      [
        shorten(title, KNOWN_TITLE_CHARACTERS),
        ...(index < KNOWN_DESCRIPTIONS ? [shorten(description, KNOWN_CHARACTERS)] : []),
      ],
      { weight: index < KNOWN_DESCRIPTIONS ? 6 : 5, cap: 60, floor: 16 },
    ),
  );
}

function points(ids: ShortIds, label: string, texts: readonly CitedText[]): readonly string[] {
  return texts.map(({ text, evidence }) => `${label}${text}${quoted(ids, evidence)}`);
}

/** Returns the first line of the first quote: the start of a valid quote is valid too. */
function quoted(ids: ShortIds, evidence: readonly Evidence[]): string {
  const first = evidence[0];
  const [line = ''] = first === undefined ? [] : first.quote.trim().split('\n');
  return first === undefined || line === ''
    ? ''
    : ` | ${ids.shortOf(first.rowId)}: ${verbatimHead(line, QUOTE_CHARACTERS)}`;
}
