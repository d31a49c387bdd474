import type { z } from 'zod';
import { quoteMatches } from '../../domain/grounding.ts';
import { Redactor } from '../../domain/redaction/redact.ts';
import type { TenantTransaction } from '../../stores/postgres/connection/database.ts';
import type { HandWrittenLearning, LearningWords } from '../../stores/postgres/learnings/learning-changes.ts';
import { findProject } from '../../stores/postgres/projects/projects.ts';
import { readQuotedRows } from '../../stores/postgres/summaries/derived.ts';
import { ApiError, invalid } from '../errors.ts';
import { Breather } from '../intake/breather.ts';
import type { evidenceInput, learningInput } from '../../contract/learnings.ts';

/** Text that a person gives, as it may be stored: private passages, injected context and secrets are taken out. */
export function redacted(text: string): string {
  return new Redactor().text(text).trim();
}

/** Placeholders of redaction. */
const MARKS = /\[(?:private|redacted:[\w-]{1,40})\]/g;

/** True for redacted text of which nothing but marks is left. */
export function isEmptied(text: string): boolean {
  return text.replaceAll(MARKS, '').trim() === '';
}

/**
 * Returns the redacted words of a learning. `at` prefixes field names in errors; fields equal to `before` are unchanged.
 * @throws ApiError VALIDATION_FAILED if redaction empties a title or a description
 */
export async function redactedWords(
  words: LearningWords,
  at: string,
  before: LearningWords | null = null,
): Promise<LearningWords> {
  const breather = new Breather();
  const examples: string[] = [];
  for (const example of words.examples) {
    examples.push(redacted(example));
    await breather.breathe();
  }
  const clean = {
    category: words.category,
    title: redacted(words.title),
    description: redacted(words.description),
    context: redacted(words.context),
    examples: examples.filter((example) => example !== ''),
    tags: [...new Set(words.tags.map(redacted).filter((tag) => tag !== ''))],
  };
  for (const field of ['title', 'description'] as const) {
    if (!isEmptied(clean[field]) || words[field] === '' || words[field] === before?.[field]) continue;
    throw invalid(`${at}${field}`, 'is empty without private text', field);
  }
  return clean;
}

/** Returns the words of a learning after a correction: another description replaces title, context and examples, too, unless they are given. */
export function correctedWords(
  before: LearningWords,
  given: { readonly [Field in keyof LearningWords]?: LearningWords[Field] | undefined },
): LearningWords {
  const { category = before.category, description = before.description, tags = before.tags } = given;
  const rest = description === before.description ? before : { title: '', context: '', examples: [] };
  const { title = rest.title, context = rest.context, examples = rest.examples } = given;
  return { category, title, description, context, examples, tags };
}

/** The project that a body names; null where it names none. @throws ApiError VALIDATION_FAILED for one that is not known */
async function projectIdOf(transaction: TenantTransaction, given: string | undefined, at: string) {
  if (given === undefined) return null;
  const known = await findProject(transaction, given);
  if (known !== null) return known.id;
  const message = 'there is no such project';
  throw new ApiError('VALIDATION_FAILED', message, [{ field: `${at}project`, message }]);
}

/** Returns evidence after checking that each quote is verbatim. @throws ApiError VALIDATION_FAILED that names each other quote */
async function standingEvidence(
  transaction: TenantTransaction,
  given: readonly z.output<typeof evidenceInput>[],
  viewerId: string | undefined,
  at: string,
): Promise<HandWrittenLearning['evidence']> {
  const ids = [...new Set(given.map((piece) => piece.row_id))];
  const rows = new Map((await readQuotedRows(transaction, ids, viewerId)).map((row) => [row.id, row]));
  const details = given.flatMap((piece, index) => {
    const row = rows.get(piece.row_id.toLowerCase());
    if (row === undefined) return [{ field: `${at}evidence.${index}.row_id`, message: 'there is no such row' }];
    if (quoteMatches(row, piece.quote)) return [];
    return [{ field: `${at}evidence.${index}.quote`, message: 'is not verbatim in that row' }];
  });
  if (details.length > 0) throw new ApiError('VALIDATION_FAILED', 'evidence quote not found in the cited row', details);
  return given.flatMap((piece) => {
    const row = rows.get(piece.row_id.toLowerCase());
    return row === undefined ? [] : [{ rowId: row.id, sessionId: row.sessionId, quote: piece.quote }];
  });
}

/**
 * A learning that a body gives, ready to be written: redacted, its project known, its quotes found.
 * @throws ApiError VALIDATION_FAILED that names the field
 */
export async function handWritten(
  transaction: TenantTransaction,
  body: Omit<z.output<typeof learningInput>, 'visibility'>,
  viewerId: string | undefined,
  at = '',
): Promise<Omit<HandWrittenLearning, 'ownerId'>> {
  return {
    ...(await redactedWords(body, at)),
    projectId: await projectIdOf(transaction, body.project, at),
    namespace: body.namespace,
    confidence: body.confidence,
    evidence: await standingEvidence(transaction, body.evidence, viewerId, at),
  };
}
