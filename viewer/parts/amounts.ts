import { locale } from './locale.ts';

const CENT = 0.01;

/** Returns dollars, with four digits below a cent, such as "$0.0042". */
export function usdText(usd: number): string {
  const digits = usd !== 0 && Math.abs(usd) < CENT ? 4 : 2;
  const text = Math.abs(usd).toLocaleString(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${usd < 0 ? '−' : ''}$${text}`;
}

/** Returns a count in three digits with its unit, such as "1.2K". */
export function shortCount(count: number): string {
  return count.toLocaleString(locale(), { notation: 'compact', maximumFractionDigits: 1 });
}

/** Returns a count with all its digits. */
export function fullCount(count: number): string {
  return count.toLocaleString(locale());
}

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const;

/** Returns a size in bytes in its largest unit, such as "3.4 MB". */
export function bytesText(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1_000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[power] ?? ''}`;
}

/** Returns a share between 0 and 1 in percent. */
export function percentText(share: number): string {
  return `${Math.round(share * 100)} %`;
}
