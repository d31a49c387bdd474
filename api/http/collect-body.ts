import { Socket } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from '../errors.ts';

/** Deadline of a buffered body; the request then ends, so that slow senders do not occupy memory and slots. */
export const BODY_DEADLINE_MS = 60_000;
/** Limits in bytes and ms of reading and discarding a rejected body, so that the client can receive the response. */
const UNREAD_BYTES = 64 * 1024 * 1024;
const UNREAD_MS = 10_000;
const UNREAD_LOOK_MS = 500;

/** Returns the user whose budget a body counts against: requests without a key share one budget. */
function userOf(request: FastifyRequest): string {
  return request.principal?.userId ?? '';
}

/** Bytes as they come; in one buffer from the start where their number is known. */
class Pieces {
  private readonly preallocated: Buffer | null;
  private readonly parts: Buffer[] = [];
  private size = 0;

  constructor(declared: number | null) {
    this.preallocated = declared === null ? null : Buffer.allocUnsafeSlow(declared);
  }

  add(piece: Buffer): void {
    if (this.preallocated === null) this.parts.push(piece);
    else piece.copy(this.preallocated, this.size);
    this.size += piece.length;
  }

  get length(): number {
    return this.size;
  }

  bytes(): Buffer {
    return this.preallocated === null ? Buffer.concat(this.parts, this.size) : this.preallocated.subarray(0, this.size);
  }
}

function declaredLength(request: FastifyRequest): number | null {
  const declared = Number(request.headers['content-length'] ?? Number.NaN);
  return Number.isSafeInteger(declared) && declared >= 0 ? declared : null;
}

const BUSY = 'too many bodies are being read; try again';

/** Returns the error of a body whose connection was closed before its end. */
export function bodyEndedEarly(): ApiError {
  return new ApiError('MALFORMED_REQUEST', 'the body ended early');
}

/**
 * Returns the complete body, counted against the body budget until the response is sent.
 * @throws ApiError BODY_TOO_LARGE above `limitBytes`, BUSY if the budget is exhausted, REQUEST_TIMEOUT after the deadline, MALFORMED_REQUEST if the
 * connection was closed
 */
export async function collectBody(
  request: FastifyRequest,
  payload: NodeJS.ReadableStream,
  limitBytes: number,
  deadlineMs: number = BODY_DEADLINE_MS,
): Promise<Buffer> {
  const { bodies } = request.server;
  const user = userOf(request);
  const declared = declaredLength(request);
  const tooLarge = () => new ApiError('BODY_TOO_LARGE', 'the body is larger than this route accepts');
  if (declared !== null && declared > limitBytes) throw tooLarge();
  // Nothing would release what it reserves, nor end the wait for the body.
  if (request.raw.destroyed) throw bodyEndedEarly();
  const hold = (bytes: number): boolean => {
    const fits = bodies.reserve(user, bytes);
    if (fits) request.bufferedBody.bytes += bytes;
    return fits;
  };
  if (!hold(declared ?? 0)) throw new ApiError('BUSY', BUSY);
  const pieces = new Pieces(declared);
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const onData = (chunk: Buffer | string) => {
    const piece = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
    if (pieces.length + piece.length > Math.min(limitBytes, declared ?? limitBytes)) reject(tooLarge());
    else if (declared === null && !hold(piece.length)) reject(new ApiError('BUSY', BUSY));
    else pieces.add(piece);
  };
  const onMissing = () => reject(bodyEndedEarly());
  const onEnd = () => {
    // Every body closes after its end: without this each one would build an error.
    payload.off('close', onMissing);
    resolve(pieces.bytes());
  };
  const timer = setTimeout(
    () => reject(new ApiError('REQUEST_TIMEOUT', 'the body did not arrive in time')),
    deadlineMs,
  );
  payload.on('data', onData).on('end', onEnd).on('error', onMissing).on('close', onMissing);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    payload.off('data', onData).off('end', onEnd).off('close', onMissing);
    // Discard the rest of a rejected body.
    payload.resume();
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Bytes of the request's body in the body budget. */
    bufferedBody: { bytes: number };
  }
}

/** Ends a connection that continues to send a rejected body. */
function boundUnread({ raw: { socket }, raw }: FastifyRequest): void {
  const from = socket.bytesRead;
  const until = performance.now() + UNREAD_MS;
  const timer = setInterval(() => {
    if (raw.complete || socket.destroyed) clearInterval(timer);
    else if (socket.bytesRead - from > UNREAD_BYTES || performance.now() > until) {
      clearInterval(timer);
      socket.destroy();
    }
  }, UNREAD_LOOK_MS);
  timer.unref();
}

/** Gives back what bodies count when their requests end, and bounds what is read of bodies that were refused. */
export function registerBodyRelease(app: FastifyInstance): void {
  app.decorateRequest('bufferedBody');
  app.addHook('onRequest', async (request, reply) => {
    const buffered = { bytes: 0 };
    request.bufferedBody = buffered;
    const release = () => {
      app.bodies.release(userOf(request), buffered.bytes);
      buffered.bytes = 0;
    };
    reply.raw.once('finish', release);
    reply.raw.once('close', release);
  });
  app.addHook('onResponse', async (request) => {
    // Requests within the process have no connection.
    if (!request.raw.complete && request.raw.socket instanceof Socket) boundUnread(request);
  });
}
