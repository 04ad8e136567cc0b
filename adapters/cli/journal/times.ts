/** Times as people say them, in the time zone of this machine. */
import { UsageError } from '../exit.ts';

const two = (value: number) => String(value).padStart(2, '0');

export function localDay(at: number): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

export function localClock(at: number): string {
  const date = new Date(at);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

export const localTime = (at: number): string => `${localDay(at)} ${localClock(at)}`;

/** How long ago, as long as that says more than the day does. */
export function ago(at: number, now: number): string {
  const seconds = Math.round((now - at) / 1_000);
  if (seconds < -60) return localDay(at); // the clock of another machine
  if (seconds < 5) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`;
  return seconds < 7 * 86_400 ? `${Math.floor(seconds / 86_400)} d ago` : localDay(at);
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };

/**
 * The instant that `30d` or an ISO date names, in ms since the epoch. A day alone begins where this machine is.
 * @throws UsageError for what is neither, or lies ahead: it would take in what happens only now.
 */
export function instantIn(given: string, now: number): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)(s|m|min|h|d|w)$/.exec(given) ?? [];
  const at = count !== undefined && unit !== undefined ? now - Number(count) * UNITS[unit]! : dateIn(given);
  if (Number.isNaN(new Date(at).getTime())) throw new UsageError(`"${given}" is no time: give an age such as 30d (s, min, h, d or w), or a date such as 2026-01-31 or 2026-01-31T12:00.`, 'prune');
  if (at > now) throw new UsageError(`"${given}" lies ahead. Give a time that has passed.`, 'prune');
  return at;
}

function dateIn(given: string): number {
  const [, year, month, day, rest = ''] = /^(\d{4})-(\d\d)-(\d\d)(T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/.exec(given) ?? [];
  if (year === undefined) return NaN;
  const date = new Date(Number(year), Number(month) - 1, Number(day));
  const isReal = date.getMonth() === Number(month) - 1 && date.getDate() === Number(day); // 31 June would be 1 July
  if (!isReal) return NaN;
  return rest === '' ? date.getTime() : Date.parse(given);
}
