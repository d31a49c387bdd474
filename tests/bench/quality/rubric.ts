import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';

// What a colleague wants to know after each shared session, written from the recordings and apart from the code that summarises.
// Rules of a model are tuned on half A (sessions at an even position by name) and reported on half B.

export const HALVES = ['A', 'B'] as const;
export type Half = (typeof HALVES)[number];

export const KINDS = ['decision', 'failure', 'preference', 'open', 'file'] as const;

const item = z.strictObject({
  id: z.string(),
  kind: z.enum(KINDS),
  text: z.string().min(20),
  /** Each group must occur; any alternative of a group is enough. Lower case. */
  terms: z.array(z.array(z.string().regex(/^[^A-Z]+$/u)).min(1)).min(1),
  /** Events that prove it. */
  rows: z.array(z.string()).min(1),
  /** A person or the assistant states it as a decision, a preference or a next step. */
  stated: z.boolean(),
});

const rubric = z.strictObject({
  session: z.string(),
  /** Why there are fewer than twelve items. */
  note: z.string().optional(),
  items: z.array(item).min(1),
});

export type RubricItem = z.infer<typeof item>;
export type Rubric = z.infer<typeof rubric> & { readonly half: Half };

/** Returns the lists of all sessions, by session name. @throws Error for a file that is no list */
export function readRubrics(): readonly Rubric[] {
  return HALVES.flatMap((half) => {
    const folder = new URL(`rubric/${half.toLowerCase()}/`, import.meta.url);
    return readdirSync(folder).map((file) => ({
      ...rubric.parse(JSON.parse(readFileSync(new URL(file, folder), 'utf8'))),
      half,
    }));
  }).toSorted((a, b) => a.session.localeCompare(b.session));
}
