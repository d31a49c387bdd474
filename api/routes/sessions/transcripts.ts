import { Readable } from 'node:stream';
import { z } from 'zod';
import { charsIn } from '../../../domain/capture/well-formed.ts';
import type { EventOwner, HostEvent } from '../../../domain/capture/event.ts';
import { progressAfter, startOf } from '../../../domain/transcripts/progress.ts';
import { reconcileSegment } from '../../../domain/transcripts/reconcile.ts';
import type { SegmentWork } from '../../../domain/transcripts/reconcile.ts';
import type { Captured } from '../../../domain/transcripts/store.ts';
import { LINE_BYTES } from '../../../domain/transcripts/line.ts';
import type { ReadLine } from '../../../domain/transcripts/line.ts';
import { namedAfter } from '../../../stores/files/transcript-file.ts';
import { readCursor, saveProgress } from '../../../stores/postgres/capture/transcript-files.ts';
import { createTranscriptStore } from '../../../stores/postgres/capture/transcripts.ts';
import { principalOf, route } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { collectBody } from '../../http/collect-body.ts';
import { ApiError } from '../../errors.ts';
import { Breather } from '../../intake/breather.ts';
import { HEAVY_CHARS } from '../../intake/intake.ts';
import type { Capture } from '../../intake/intake.ts';
import type { HeavyEvents } from '../../intake/heavy-events.ts';
import { presentCounts } from '../operations/imports.ts';
import { cursorSchema, segmentSchema, transcriptName, transcriptQuery } from '../../../contract/imports.ts';
import { UPLOAD_DEADLINE_MS, RequestSlots } from '../../http/request-slots.ts';

/** Maximum bytes of a transcript segment. A segment of this size without a complete turn is skipped. */
const SEGMENT_BYTES = 64 * 1024 * 1024;
/** Each request buffers a segment. */
const AT_ONCE = { perUser: 1, total: 3 } as const;
const HEAD_BYTES = 4_096;

/** Captures through the same path as hooks. @throws the error of storage that became unavailable */
function captureBy(intake: Capture, owner: EventOwner): (events: readonly HostEvent[]) => Promise<Captured[]> {
  return async (events) =>
    (await intake.capture(events, owner)).map((result): Captured => {
      if (result.status === 'failed') throw result.error;
      // Events of an excluded folder have no session.
      if (result.status === 'refused' || result.reason === 'excluded')
        return { status: 'refused', rowId: null, sessionId: null };
      return { status: result.status, rowId: result.rowId, sessionId: result.sessionId };
    });
}

/** A line that takes too much must not keep those behind it from being read. */
function passedOver(error: unknown): ReadLine {
  if (error instanceof ApiError && error.code === 'EVENT_TOO_LARGE') return { kind: 'skipped', reason: 'too_large' };
  throw error;
}

/** Long lines and items are for the thread; the others are read here, a few at a time. */
function workBeside(heavy: HeavyEvents, userId: string): SegmentWork {
  const breather = new Breather();
  return {
    readLine: (bytes) =>
      bytes.length > HEAVY_CHARS && bytes.length <= LINE_BYTES ? heavy.readLine(userId, bytes).catch(passedOver) : null,
    prepareItem: (item, owner, source) =>
      item.kind !== 'tool' && charsIn([item.payload, item.alternatives]) > HEAVY_CHARS
        ? heavy.prepareItem(item, owner, source)
        : null,
    breathe: () => (breather.isOver ? breather.breathe() : null),
  };
}

/** Transcripts of other machines, sent by the client there. */
export function transcriptRoutes(app: Api, { config, database, heavy, intake }: ApiDependencies): void {
  const slots = new RequestSlots(AT_ONCE);

  app.get(
    '/transcripts',
    route('capture', {
      tags: ['imports'],
      summary: 'Get the position up to which a transcript was received',
      querystring: z.strictObject(transcriptName),
      response: { 200: cursorSchema },
    }),
    async (request) => {
      const cursor = await readCursor(database, principalOf(request), request.query);
      return {
        fingerprint: cursor?.fingerprint ?? null,
        size: cursor?.size ?? 0,
        modified_at: cursor === null ? null : new Date(cursor.modifiedAtMs).toISOString(),
        offset: cursor?.readOffset ?? 0,
        open: cursor?.open ?? true,
        looked_at: cursor === null ? null : new Date(cursor.lookedAtMs).toISOString(),
      };
    },
  );
  app.post(
    '/transcripts',
    {
      bodyLimit: SEGMENT_BYTES,
      config: { access: 'capture', ndjson: true },
      schema: {
        tags: ['imports'],
        summary: 'Import a segment of a transcript',
        description:
          'Accepts unmodified lines of one transcript file. Events that hooks delivered are not stored again. The response contains the offset of the next segment.',
        consumes: ['application/x-ndjson'],
        querystring: transcriptQuery,
        body: z.unknown(),
        response: { 200: segmentSchema },
      },
    },
    async (request) => {
      const { tenantId, userId } = principalOf(request);
      if (!(request.body instanceof Readable))
        throw new ApiError('UNSUPPORTED_MEDIA_TYPE', 'a transcript must be sent as application/x-ndjson');
      const { body } = request;
      return slots.run(userId, async () => {
        const bytes = await collectBody(request, body, SEGMENT_BYTES, UPLOAD_DEADLINE_MS);
        const { machine, path, fingerprint, offset, size, quiet_ms: quietMs } = request.query;
        const file = { fingerprint, size, modifiedAtMs: Date.parse(request.query.modified_at) };
        const name = { machine, path };
        const owner = { tenantId, userId };
        const before = await readCursor(database, owner, name);
        const { anew, countedOffset } = startOf(file, before);
        const atEnd = offset + bytes.length >= size;
        const result = await reconcileSegment(
          {
            ...namedAfter(path, bytes.toString('utf8', 0, HEAD_BYTES)),
            bytes,
            offset,
            countedOffset,
            atEnd,
            quietMs,
            force: !atEnd && bytes.length >= SEGMENT_BYTES,
          },
          createTranscriptStore(database, owner, captureBy(intake, owner)),
          {
            owner,
            source: 'transcript',
            idleMs: config.session.idleMs,
            onlyKnown: false,
            excludes: null,
            signal: new AbortController().signal,
            work: workBeside(heavy, userId),
          },
        );
        const progress = progressAfter(file, before, result, { atEnd, anew });
        await saveProgress(database, owner, name, progress, null);
        return {
          next_offset: result.nextOffset,
          open: result.open,
          counts: presentCounts(result.counts),
          session_id: result.sessionId,
        };
      });
    },
  );
}
