import * as http from 'node:http';
import * as https from 'node:https';
import { API_HEADER, isApiVersion } from './answer-reader.ts';
import { outcomeOf, reasonOf } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import { headersOf, pathOf } from './request.ts';
import type { HookRequest } from './request.ts';
import type { Target } from './target.ts';
import { lookUpOption } from './look-up.ts';

/** Sends events one after another over one connection. */
export interface Sender {
  /** Never rejects; `unavailable` if there is no response within `timeoutMs`. */
  send(request: HookRequest, timeoutMs: number): Promise<Outcome>;
  close(): void;
}

const ANSWER_BYTES = 1024 * 1024;

/** A sender for HTTP and HTTPS by Node's own modules: for what is long enough to keep its connection, and for TLS. */
export function createSender(target: Target): Sender {
  const base = new URL(target.url);
  const { Agent, request: open } = base.protocol === 'https:' ? https : http;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const send: Sender['send'] = (hook, timeoutMs) =>
    new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const finish = (outcome: Outcome): void => {
        clearTimeout(timer);
        resolve(outcome);
      };
      const fail = (error: unknown): void => finish({ kind: 'unavailable', reason: reasonOf(error) });
      try {
        const request = open(
          new URL(pathOf(base, hook), base.origin),
          { method: 'POST', agent, headers: headersOf(target, hook), ...lookUpOption() },
          (response) => {
            let body = '';
            response.setEncoding('utf8');
            response.on('data', (text: string) => {
              if (body.length < ANSWER_BYTES) body += text;
            });
            const isApi = isApiVersion(response.headers[API_HEADER]);
            response.once('end', () => finish(outcomeOf({ status: response.statusCode ?? 0, isApi, body })));
            response.once('error', fail);
          },
        );
        request.once('error', fail);
        timer = setTimeout(
          () => {
            finish({ kind: 'unavailable', reason: 'no answer in time' });
            request.destroy();
          },
          Math.max(timeoutMs, 1),
        );
        for (const part of hook.body) request.write(part);
        request.end();
      } catch (error) {
        fail(error);
      }
    });
  return { send, close: () => agent.destroy() };
}
