/** The lifecycle events of a scenario as a file beside the tests. `UPDATE_LOGS=1` writes it; else it must be there and the same. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { RunEvent } from 'loopchart';

/** One event: what it was, where, and what made it happen. */
export type LoggedEvent = Record<string, unknown>;

const SCENARIOS = fileURLToPath(new URL('..', import.meta.url));
const LOGS = join(SCENARIOS, 'logs');
/** Logs that tests of this file have compared: one for each play of a test. */
const plays = new Map<string, number>();

/**
 * @param start the time of the world's begin; only what comes later says when.
 * @param replayed how many events were told before already: they are left out.
 */
export function logged(events: readonly RunEvent[], start: number, replayed: number): LoggedEvent[] {
  const run = events[0]?.path ?? '';
  const short = (path: string) => (path === run || path.startsWith(`${run}/`) ? path.slice(run.length) || '/' : path);
  return events.slice(replayed).map(({ number, at, type, path, agent, cause, ...rest }) => {
    const when = at > start ? { afterMs: at - start } : {};
    return { number, type, path: short(path), agent, cause: short(cause), ...when, ...brief({ ...rest, type }, short) };
  });
}

export function compareLog(logs: LoggedEvent[][]): void {
  const path = logPath();
  const text = textOf(logs);
  if (process.env['UPDATE_LOGS'] === '1') {
    mkdirSync(dirname(path), { recursive: true });
    return writeFileSync(path, text);
  }
  const name = relative(SCENARIOS, path);
  if (!existsSync(path)) throw new Error(`There is no event log ${name}. Run the tests with UPDATE_LOGS=1, then read what was written.`);
  expect(text, `The events differ from ${name}. If that is meant, run the tests with UPDATE_LOGS=1 and read the difference.`).toBe(readFileSync(path, 'utf8'));
}

/** The name of a test is a sentence; its log is found by it. */
export function slugOf(testName: string): string {
  return testName.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-|-$/g, '').slice(0, 110);
}

function logPath(): string {
  const { testPath, currentTestName } = expect.getState();
  if (!testPath || !currentTestName) throw new Error('play() belongs inside a test.');
  const base = join(LOGS, relative(SCENARIOS, testPath).replace(/\.test\.ts$/, ''), slugOf(currentTestName));
  const nth = (plays.get(base) ?? 0) + 1;
  plays.set(base, nth);
  return `${base}${nth === 1 ? '' : `.${nth}`}.json`;
}

/** One event a line, so that a difference is read as easily as it is found. */
function textOf(logs: LoggedEvent[][]): string {
  const runs = logs.map((events) => `[\n${events.map((event) => `    ${JSON.stringify(event)}`).join(',\n')}\n  ]`);
  return `[\n  ${runs.join(',\n  ')}\n]\n`;
}

/** What events carry, without what is in them twice or is compared anyway: histories, facts about tools. */
function brief({ type, ...rest }: Record<string, any>, short: (path: string) => string): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(rest)) {
    if (key === 'id') kept[key] = short(value);
    else if (key === 'call') kept[key] = callOf(value);
    else if (key === 'outcome') kept[key] = outcomeOf(value);
    else if (key === 'failure') kept[key] = failureOf(value);
    else if (key === 'records') kept[key] = value.map((record: { type: string }) => record.type);
    else if (key === 'item' && type === 'item.completed' && !isResult(value)) continue; // as it was when it started
    else if (key === 'ids') continue; // made at random, unlike all other ids: `items` says what was delivered
    else kept[key] = value;
  }
  return kept;
}

const isResult = (item: { type?: string } | null) => item === null || /_(result|output)$/.test(item.type ?? '');
const callOf = ({ name, callId, edited }: Record<string, any>) => ({ name, callId, ...(edited === undefined ? {} : { edited }) });
const failureOf = ({ code, message }: Record<string, any>) => ({ code, message });
const outcomeOf = ({ status, how, output, failure, turns }: Record<string, any>) => ({
  status,
  ...(how === undefined ? {} : { how }),
  ...(output === undefined ? {} : { output }),
  ...(failure === undefined ? {} : { failure: failureOf(failure) }),
  turns,
});
