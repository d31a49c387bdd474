import { CLASS_RULES, higherClass, isWithin } from '../domain/data-classes.ts';
import type { DataClass } from '../domain/data-classes.ts';
import { EmbedderUnavailable, TextsRefused } from '../domain/ports/embedder.ts';
import type { Embedder } from '../domain/ports/embedder.ts';
import type { LearningInput, ModelPort, SessionInput, SourceRow, WindowInput } from '../domain/ports/model.ts';
import { Redactor } from '../domain/redaction/redact.ts';

/** Replaces a row in the request to an outside model, which needs the order of events. */
const WITHHELD = '[withheld]';
const WITHHELD_TOKENS = 4;

/** Returns the class of a text by the detectors of capture; marks of what they removed count. Summaries and learnings have no stored class. */
function classOf(text: string): DataClass {
  const redactor = new Redactor();
  redactor.text(text);
  return redactor.dataClass;
}

/**
 * Returns the model with requests that contain nothing above a class, and no rows that the rules exclude from summaries. Rows are left out of requests to the
 * local model and replaced by a note in others; texts without a stored class are classified by their content.
 */
export function limitClasses(model: ModelPort, limit: DataClass): ModelPort {
  const isAllowed = (dataClass: DataClass): boolean =>
    CLASS_RULES[dataClass].isSummarised && isWithin(dataClass, limit);
  const isTextAllowed = (text: string): boolean => isAllowed(classOf(text));
  const areAllowed = (value: object): boolean => isTextAllowed(JSON.stringify(value));
  const rowsOf = (rows: readonly SourceRow[]): readonly SourceRow[] =>
    rows.flatMap((row) => {
      if (isAllowed(row.dataClass)) return [row];
      if (model.provider === 'local') return [];
      return [
        { ...row, title: row.tool ?? '', content: WITHHELD, tokens: WITHHELD_TOKENS, filesRead: [], filesModified: [] },
      ];
    });
  const nameOf = ({ projectName }: Pick<WindowInput, 'projectName'>) =>
    projectName !== null && isTextAllowed(projectName) ? projectName : null;
  const windowOf = (input: WindowInput): WindowInput => ({
    ...input,
    projectName: nameOf(input),
    glossary: input.glossary.filter(isTextAllowed),
    precedingRequest:
      input.precedingRequest !== null && isAllowed(input.precedingRequest.dataClass) ? input.precedingRequest : null,
    known: input.known.filter(areAllowed),
    rows: rowsOf(input.rows),
  });
  const sessionOf = <Input extends SessionInput>(input: Input): Input => ({
    ...input,
    projectName: nameOf(input),
    glossary: input.glossary.filter(isTextAllowed),
    topics: input.topics.filter(areAllowed),
    items: input.items.filter(areAllowed),
    prompts: rowsOf(input.prompts),
  });
  const learningsOf = (input: LearningInput): LearningInput => ({
    ...sessionOf(input),
    rows: rowsOf(input.rows),
    known: input.known.filter(areAllowed),
  });
  return {
    name: model.name,
    provider: model.provider,
    batches: model.batches,
    prepareWindow: (input, signal) => model.prepareWindow(windowOf(input), signal),
    windowRequest: (input) => model.windowRequest(windowOf(input)),
    sessionRequest: (input) => model.sessionRequest(sessionOf(input)),
    learningsRequest: (input) => model.learningsRequest(learningsOf(input)),
    prepareSession: (input, signal) => model.prepareSession(sessionOf(input), signal),
    prepareLearnings: (input, signal) => model.prepareLearnings(learningsOf(input), signal),
  };
}

/**
 * Returns the embedder of a provider that is sent no text above a class: it withholds passages above it, which are found by keyword; a query or a
 * comparison falls back to words. A part of a row has at least the class of the row, which callers give to `withholds`.
 */
export function limitEmbeddedClasses(embedder: Embedder, limit: DataClass): Embedder {
  const withholds = (text: string, stored: DataClass | null): boolean =>
    !isWithin(higherClass(classOf(text), stored ?? 'public'), limit);
  return {
    ...embedder,
    withholds,
    async embed(texts, purpose, signal, onUsage) {
      if (!texts.some((text) => withholds(text, null))) return embedder.embed(texts, purpose, signal, onUsage);
      const message = 'a text has a class above RECOLLECT_MODEL_MAX_CLASS';
      throw purpose === 'passage' ? new TextsRefused(message) : new EmbedderUnavailable(message);
    },
  };
}
