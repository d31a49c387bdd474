import { z } from 'zod';
import { MAX_EXTENSION_DAYS, REQUEST_KINDS, REQUEST_STATES, RIGHTS } from '../domain/erasure/gdpr-request.ts';
import { ERASURE_PHASES, EXPORT_SCOPES, EXPORT_STATES, WORK_STATES } from '../domain/jobs.ts';
import { flag } from './query.ts';
import { pageQuery, timestamp } from './shared.ts';
import { text } from './text.ts';

const name = text(320);
const user = name.optional().describe('Id or name of a user; default: the caller');

export const eraseBody = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('session'), session: name.describe('Id of the session, or host:external id') }),
    z.strictObject({
      kind: z.literal('user'),
      user: name.describe('Id or name of the user, of the caller also, to confirm the request'),
    }),
    z.strictObject({
      kind: z.literal('tenant'),
      name: text(1_000).describe('Name of the tenant, to confirm the request'),
    }),
    z.strictObject({
      kind: z.literal('text'),
      text: text(1_000, 8).describe('Text to erase, 8 to 1,000 characters, case-sensitive'),
      dry_run: z.boolean().default(false).describe('Count the rows that contain the text, without deleting'),
    }),
  ])
  .meta({ id: 'Erase' });

const counts = z.record(z.string(), z.number().int());

export const signedReceipt = z
  .object({
    receipt: z.string().describe('Receipt as JSON text: deleted data, checks after deletion, entries of the journal'),
    sha256: z.string().describe('SHA-256 of the receipt’s text'),
    public_key: z.string().nullable().describe('Public key as SPKI in base64; null if the instance has no signing key'),
    signature: z.string().nullable().describe('Ed25519 signature of the bytes of the hash, in base64'),
  })
  .meta({ id: 'SignedReceipt' });

/** A request about personal data. Erasures and exports also have the progress of their job. */
export const gdprRequestSchema = z
  .object({
    id: z.string(),
    right: z.enum(RIGHTS),
    kind: z.enum(REQUEST_KINDS).describe('What the request is about'),
    user: z
      .string()
      .nullable()
      .describe('Id of the user whose data it is; null for a tenant or a text, and after their erasure'),
    state: z.enum(REQUEST_STATES).describe('`waiting`: an admin decides'),
    phase: z
      .enum(ERASURE_PHASES)
      .nullable()
      .describe('Last completed phase of an erasure; from `journalled` on, it cannot be cancelled'),
    removed: counts,
    error: z.string().nullable(),
    receipt: signedReceipt.nullable(),
    requested_at: z.string(),
    due_at: z.string().describe('Deadline'),
    overdue: z.boolean().describe('Open after the deadline'),
    extension: z.object({ days: z.number().int(), reason: z.string() }).nullable(),
    decision: z
      .object({ by: z.string().nullable(), at: z.string(), reason: z.string().nullable() })
      .nullable()
      .describe('Decision of an admin'),
    details: z
      .record(z.string(), z.unknown())
      .nullable()
      .describe('What waits for the decision: the text, or the correction'),
    finished_at: z.string().nullable(),
  })
  .meta({ id: 'GdprRequest' });
export type GdprRequest = z.output<typeof gdprRequestSchema>;

export const gdprRequestQuery = z.strictObject({
  ...pageQuery,
  open: flag().optional().describe('true: requests that wait or run; false: others'),
});
const reason = text(500);
export const decisionBody = z
  .discriminatedUnion('decision', [
    z.strictObject({ decision: z.literal('approve'), reason: reason.optional() }),
    z.strictObject({ decision: z.literal('decline'), reason }),
  ])
  .meta({ id: 'GdprDecision' });
export const extensionBody = z.strictObject({
  days: z.number().int().min(1).max(MAX_EXTENSION_DAYS).describe('Days after the deadline'),
  reason,
});

export const foundText = z
  .object({
    dry_run: z.literal(true),
    found: z.object({
      events: z.number().int(),
      summaries: z.number().int(),
      learnings: z.number().int(),
      entities: z.number().int(),
      archived_sessions: z.number().int(),
    }),
  })
  .meta({ id: 'FoundText' });

const includeRestricted = z
  .boolean()
  .default(false)
  .describe('Include other users’ rows of the class `restricted`; for admins. Own rows are always included');

export const exportBody = z
  .strictObject({
    scope: z.enum(EXPORT_SCOPES).default('tenant'),
    subject: name.optional().describe('Id or name of the project, user or session; omitted for the tenant'),
    include_restricted: includeRestricted,
  })
  .meta({
    id: 'ExportRequest',
    anyOf: [{ required: ['subject'] }, { properties: { scope: { enum: ['tenant', 'user'] } } }],
  });

export const gdprExportBody = z.strictObject({ user, include_restricted: includeRestricted });

export const exportSchema = z
  .object({
    id: z.string(),
    user_id: z.string().describe('Id of the user who requested it'),
    scope: z.enum(EXPORT_SCOPES),
    subject: z.string().nullable().describe('Id of the project, user or session; null for the tenant'),
    state: z.enum(EXPORT_STATES),
    bytes: z.number().int().describe('Size of the compressed file, in bytes'),
    sha256: z.string().nullable().describe('SHA-256 of the compressed file'),
    rows: counts.describe('By table'),
    error: z.string().nullable(),
    created_at: z.string(),
    finished_at: z.string().nullable(),
    expires_at: z.string().describe('Time at which the file is deleted'),
  })
  .meta({ id: 'Export' });

export const fileImportSchema = z
  .object({
    id: z.string(),
    user_id: z.string().describe('Id of the user who sent the file'),
    kind: z.literal('file'),
    state: z.enum(WORK_STATES),
    bytes: z.number().int(),
    sha256: z.string(),
    read: counts.describe('Rows of the file, by table'),
    written: counts.describe('Rows created, by table; the others existed already or were erased on this instance'),
    error: z.string().nullable(),
    created_at: z.string(),
    finished_at: z.string().nullable(),
  })
  .meta({ id: 'FileImport' });

const restricted = { user: name.optional(), session: name.optional() };
const oneOf = (value: { readonly user?: string | undefined; readonly session?: string | undefined }) =>
  (value.user === undefined) !== (value.session === undefined);
const ONE = { error: 'name a user or a session, one of them', path: ['user'] };
export const restrictBody = z
  .strictObject({ ...restricted, until: timestamp })
  .refine(oneOf, ONE)
  .meta({ oneOf: [{ required: ['user'] }, { required: ['session'] }] });
export const restrictQuery = z.strictObject(restricted).refine(oneOf, ONE);
export const restrictionSchema = z
  .object({
    user: z.string().nullable(),
    session: z.string().nullable(),
    restricted_until: z.string().nullable(),
    request: z
      .string()
      .nullable()
      .describe('Id of the request, which has the receipt; null for the end of a restriction'),
  })
  .meta({ id: 'Restriction' });
