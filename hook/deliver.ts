import { connect } from 'node:net';
import { AnswerReader } from './answer-reader.ts';
import { markPoolBusy } from './leave.ts';
import { outcomeOf, reasonOf } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import { headersOf, pathOf } from './request.ts';
import type { HookRequest } from './request.ts';
import type { Target } from './target.ts';
import { lookUpOption } from './look-up.ts';

export interface DeliverOptions {
  readonly timeoutMs: number;
  /** False: the head of a response suffices, except for rejections. */
  readonly needsBody: boolean;
}

/** Prevents header injection by a key or an address. */
const HEADER_VALUE = /^[\x20-\x7e]*$/;

/**
 * Sends one event over its own connection. Never rejects. HTTP is implemented here, because Node's module takes longer
 * to load than the server takes to respond; HTTPS uses Node.
 */
export function deliver(target: Target, request: HookRequest, options: DeliverOptions): Promise<Outcome> {
  const base = new URL(target.url);
  if (base.protocol !== 'http:') return deliverByNode(target, request, options);
  return new Promise((resolve) => {
    const headers = Object.entries({ Host: base.host, ...headersOf(target, request), Connection: 'close' });
    if (headers.some(([, value]) => !HEADER_VALUE.test(value))) {
      resolve({ kind: 'unavailable', reason: 'invalid characters in the key' });
      return;
    }
    const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    const reader = new AnswerReader(!options.needsBody);
    const socket = connect({
      host: base.hostname.startsWith('[') ? base.hostname.slice(1, -1) : base.hostname,
      port: base.port === '' ? 80 : Number(base.port),
      ...lookUpOption(),
    });
    const finish = (outcome: Outcome): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    const fail = (error: unknown): void => finish({ kind: 'unavailable', reason: reasonOf(error) });
    const timer = setTimeout(
      () => {
        markPoolBusy(true); // By a DNS lookup.
        finish({ kind: 'unavailable', reason: 'timeout' });
      },
      Math.max(options.timeoutMs, 1),
    );
    socket.setNoDelay(true);
    // One write: a small event goes out as one packet.
    socket.write(
      Buffer.concat([Buffer.from(`POST ${pathOf(base, request)} HTTP/1.1\r\n${head}\r\n`, 'latin1'), ...request.body]),
    );
    socket.on('data', (chunk: Buffer) => {
      try {
        const answer = reader.push(chunk);
        if (answer !== null) finish(outcomeOf(answer));
      } catch (error) {
        fail(error);
      }
    });
    socket.once('error', fail);
    socket.once('close', () => {
      const answer = reader.end();
      if (answer === null) fail(new Error('connection closed without a response'));
      else finish(outcomeOf(answer));
    });
  });
}

async function deliverByNode(target: Target, request: HookRequest, options: DeliverOptions): Promise<Outcome> {
  const { createSender } = await import('./sender.ts');
  const sender = createSender(target);
  try {
    return await sender.send(request, options.timeoutMs);
  } finally {
    sender.close();
  }
}
