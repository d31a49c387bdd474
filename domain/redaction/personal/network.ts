import type { Detector } from './detector.ts';

/** Text before four numbers that are a version. */
const VERSION =
  /(?:version|versions?|ver|release|build|assembly|chrome|chromium|firefox|safari|opr|edg)\\?["']?[\s:=/@v"'(]{0,4}$/i;
/** Public resolvers identify nobody's machine. */
const EVERYBODYS = new Set(['1.1.1.1', '1.0.0.1', '8.8.8.8', '8.8.4.4', '9.9.9.9', '149.112.112.112']);

/** True for an address of the public internet, by the registry of special addresses (RFC 6890 and its followers). */
function isPublic4(parts: readonly number[]): boolean {
  const [a = 0, b = 0, c = 0] = parts;
  if (a === 0 || a === 10 || a === 127 || a >= 224) return false;
  if (a === 100 && b >= 64 && b < 128) return false;
  if (a === 169 && b === 254) return false;
  if (a === 172 && b >= 16 && b < 32) return false;
  if (a === 192 && (b === 168 || (b === 0 && (c === 0 || c === 2)) || (b === 88 && c === 99))) return false;
  if (a === 198 && (b === 18 || b === 19 || (b === 51 && c === 100))) return false;
  return !(a === 203 && b === 0 && c === 113);
}

/** Public addresses of machines; excludes private, local and documentation addresses, versions and public resolvers. */
export const IPV4: Detector = {
  kind: 'ip-address',
  dataClass: 'sensitive',
  pattern: /(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)/g,
  accepts: (value, before) => {
    const written = value.split('.');
    const parts = written.map(Number);
    if (parts.some((part, at) => part > 255 || (written[at] ?? '').length !== String(part).length)) return false;
    // Four small numbers are far more often a version than an address.
    return !EVERYBODYS.has(value) && isPublic4(parts) && parts.some((part) => part > 20) && !VERSION.test(before);
  },
};

/** True for eight groups, or fewer with one gap of zeros. */
function isAddress6(value: string): boolean {
  const halves = value.split('::');
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  if (groups.some((group) => group.length === 0 || group.length > 4)) return false;
  return halves.length === 1 ? groups.length === 8 : halves.length === 2 && groups.length < 8;
}

/** Globally routed addresses (2000::/3) except the documentation prefix. */
export const IPV6: Detector = {
  kind: 'ip-address',
  dataClass: 'sensitive',
  pattern: /(?<![\w:.-])[23][0-9a-f]{3}:[0-9a-f:]{4,34}(?![\w:.-])/gi,
  accepts: (value) => isAddress6(value) && !/^(?:2001:0?db8:|3fff:)/i.test(value),
};
