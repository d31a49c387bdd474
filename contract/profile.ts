import { z } from 'zod';
import type { FocusLine, Preference, ProfileEvidence } from '../domain/profile/profile.ts';

const profileEvidence = z.object({
  row_id: z.string().describe('Of what was said by hand: the id of the learning'),
  session_id: z.string().nullable(),
  quote: z.string(),
  occurred_at: z.string(),
});

export const profileSchema = z
  .object({
    user: z.object({ id: z.string(), username: z.string() }),
    project: z.object({ id: z.string(), name: z.string() }).nullable(),
    preferences: z.array(
      z.object({
        text: z.string(),
        category: z.string(),
        learning_ids: z.array(z.string()),
        verified: z.boolean(),
        confidence: z.number(),
        sessions: z.number().int().describe('How many showed it'),
        evidence: z.array(profileEvidence),
      }),
    ),
    focus: z.array(
      z.object({
        kind: z.enum(['request', 'next_step']),
        text: z.string(),
        session_id: z.string(),
        occurred_at: z.string(),
        evidence: z.array(profileEvidence),
      }),
    ),
  })
  .meta({ id: 'Profile' });

function evidenceOf(pieces: readonly ProfileEvidence[]): z.input<typeof profileEvidence>[] {
  return pieces.map((piece) => ({
    row_id: piece.rowId,
    session_id: piece.sessionId,
    quote: piece.quote,
    occurred_at: piece.occurredAt.toISOString(),
  }));
}

export function presentPreference(line: Preference): z.input<typeof profileSchema>['preferences'][number] {
  return {
    text: line.text,
    category: line.category,
    learning_ids: [...line.learningIds],
    verified: line.verified,
    confidence: line.confidence,
    sessions: line.sessions,
    evidence: evidenceOf(line.evidence),
  };
}

export function presentFocus(line: FocusLine): z.input<typeof profileSchema>['focus'][number] {
  return {
    kind: line.kind,
    text: line.text,
    session_id: line.sessionId,
    occurred_at: line.occurredAt.toISOString(),
    evidence: evidenceOf(line.evidence),
  };
}
