/** A setting that contradicts others, and the reason, which contains no values. */
export type Fault = readonly [setting: string, message: string];

/** Returns the entries of a setting that is a list separated by commas. */
export function listOf(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1|\[::1\])$/i;

/** Returns true for a name or an address, without port, that only this machine can reach. */
export function isLoopbackHost(host: string): boolean {
  return LOOPBACK.test(host);
}
