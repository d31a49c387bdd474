import { request } from 'node:http';

const AT_ONCE = 200;
const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

/** Sends a log-in of an unknown name from an address of its own, so that no lock of addresses ends the burst. Returns the status. */
function logIn(port: number, n: number): Promise<number | undefined> {
  const body = JSON.stringify({ login: `burst-${n}`, password: 'a wrong password' });
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: '127.0.0.1',
      localAddress: `127.0.1.${n}`,
      port,
      path: '/api/v1/auth/login',
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    });
    outgoing.on('error', reject).on('response', (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    });
    outgoing.end(body);
  });
}

/** Sends log-ins at once while another client reads; returns the latencies of the reads in ms, and how the log-ins were answered. */
export async function measureLoginBurst(port: number, key: string) {
  const burst = Promise.all(Array.from({ length: AT_ONCE }, (_, n) => logIn(port, n + 1)));
  let isOver = false;
  const ended = burst.finally(() => {
    isOver = true;
  });
  const latencies: number[] = [];
  while (!isOver) {
    const started = performance.now();
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/projects`, {
      headers: { authorization: `Bearer ${key}` },
    });
    await answer.text();
    latencies.push(performance.now() - started);
  }
  const statuses = await ended;
  latencies.sort((one, other) => one - other);
  return {
    log_ins: AT_ONCE,
    hashed: statuses.filter((status) => status === 401).length,
    refused: statuses.filter((status) => status === 429).length,
    reads: latencies.length,
    read_p50_ms: Math.round(percentile(latencies, 0.5) * 10) / 10,
    read_p99_ms: Math.round(percentile(latencies, 0.99) * 10) / 10,
  };
}
