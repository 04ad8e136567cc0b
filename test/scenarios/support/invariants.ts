/** What holds of every run, whatever the scenario: written down apart from the code that has to keep it. */
import { expect } from 'vitest';
import { AgentsError, RunState, type AgentInputItem, type RunEvent } from 'loopchart';
import { viewOf } from 'loopchart/view';
import type { Answer, ModelTally } from './modelTally.ts';
import type { Settled } from './seen.ts';

/** G3: every call has exactly one result, after it and before the next message; no result is without its call. */
export function checkRequests(tally: ModelTally): void {
  for (const { request, answered } of tally.asked) {
    const input = typeof request.input === 'string' ? [] : request.input;
    const keptByProvider = request.conversationId !== undefined || request.previousResponseId !== undefined;
    const known = keptByProvider ? answered.flatMap(({ output }) => output.flatMap(callIdOf)) : [];
    expect(problemsOf(input, known), `G3: a request is not well formed: ${JSON.stringify(input)}`).toEqual([]);
  }
}

/** @param known calls that the provider has on its side. */
export function problemsOf(items: readonly AgentInputItem[], known: readonly string[] = []): string[] {
  const problems: string[] = [];
  const open = new Set<string>();
  const atProvider = new Set(known);
  for (const item of items) {
    const id = 'callId' in item ? String(item.callId) : '';
    if (CALLS.has(item.type ?? '')) {
      if (open.has(id)) problems.push(`call ${id} is open twice`);
      open.add(id);
    } else if (RESULTS.has(item.type ?? '')) {
      if (!open.delete(id) && !atProvider.delete(id)) problems.push(`result ${id} has no call`);
    } else if ('role' in item && open.size > 0) {
      problems.push(`a message stands between ${[...open].join(', ')} and its result`);
    }
  }
  return [...problems, ...[...open].map((id) => `call ${id} has no result`)];
}

/** What a run counts: the base for one that goes on from it. */
export type Counted = Record<'requests' | 'inputTokens' | 'outputTokens' | 'totalTokens', number>;

/** @param replayed events of the same run up to the point where it was left. */
export function checkRun({ events, state, error }: Settled, replayed: readonly RunEvent[]): void {
  if (!state) return void expect(error, 'a run that was refused says why').toBeInstanceOf(Error);
  expect(events.slice(0, replayed.length), 'I1: replayed events are the same').toEqual(replayed);
  checkEvents(events);
  checkStop(events);
  checkOrder(state);
  if (error instanceof AgentsError) expect(error.state, 'K3: an error carries the state').toBeInstanceOf(RunState);
}

/** What holds of the events of every run and of every thread. */
export function checkEvents(events: readonly RunEvent[]): void {
  checkNumbers(events);
  checkItems(events);
  checkApprovals(events);
  checkWaits(events);
}

/** A8: what models answered during the run is what the run counts, on top of what it went on from. */
export function checkUsage({ state, events }: Settled, before: Counted, answers: readonly Answer[], replayed: number): Counted {
  if (!state) return before;
  const { requests, inputTokens, outputTokens, totalTokens } = state.usage;
  const counted = { requests, inputTokens, outputTokens, totalTokens };
  const isCut = state.source.outcome?.status === 'interrupted' || state.source.outcome?.status === 'failed';
  if (isCut) return counted; // an answer may have come too late to count
  const expected = answers.reduce(sum, before);
  const retried = events.slice(replayed).filter(isOfOwnRequest).length;
  expect(counted, 'A8: usage adds up').toEqual({ ...expected, requests: expected.requests + retried });
  return counted;
}

/** Of a request that failed, or was cut short. What is given up before the next one was asked for already. */
function isOfOwnRequest({ type, path }: RunEvent, at: number, events: readonly RunEvent[]): boolean {
  const isGivenUp = () => events.slice(0, at).findLast((event) => event.path === path && event.type !== 'delta')?.type === 'turn.retrying';
  return type === 'turn.retrying' || (type === 'turn.retracted' && !isGivenUp());
}

/** I1: what a view shows at the end is what it shows of the events that are read again: plain data, each entry once, nothing that still streams. */
export function checkView(told: readonly RunEvent[]): void {
  const shown = viewOf(told);
  expect(shown, 'I1: deltas leave something behind in a view').toEqual(viewOf(told.filter(({ number }) => typeof number === 'number')));
  expect(JSON.parse(JSON.stringify(shown)), 'a view is plain data').toEqual(shown);
  const ids = shown.transcript.map(({ id }) => id);
  expect(new Set(ids).size, `entries with the same id: ${ids.join(', ')}`).toBe(ids.length);
  expect(shown.transcript.filter((entry) => 'status' in entry && entry.status === 'streaming'), 'an entry still streams').toEqual([]);
}

export const NOTHING_COUNTED: Counted = { requests: 0, inputTokens: 0, outputTokens: 0, totalTokens: 0 };

/** I1: numbers rise by one and never repeat. */
function checkNumbers(events: readonly RunEvent[]): void {
  expect(events.map(({ number }) => number), 'I1: events are numbered one by one').toEqual(events.map((_, at) => at + 1));
}

/** I2: one end for every beginning, before the turn settles; nothing after the run has settled, but what a body that was left behind brings (C8). */
function checkItems(events: readonly RunEvent[]): void {
  const open = new Map<string, string>();
  const settledRuns: string[] = [];
  for (const event of events) {
    if (event.type === 'tool.late') continue;
    expect(settledRuns.filter((path) => event.path === path || event.path.startsWith(`${path}/`)), `I2: ${event.type} after run.settled`).toEqual([]);
    if (event.type === 'item.started') {
      expect(open.has(event.id), `I2: ${event.id} started twice`).toBe(false);
      open.set(event.id, event.path);
    } else if (event.type === 'item.completed') {
      expect(open.delete(event.id), `I2: ${event.id} ended without a beginning, or twice`).toBe(true);
    } else if (event.type === 'turn.settled') {
      expect([...open].filter(([, turn]) => turn === event.path).map(([id]) => id), `I2: items left open at the end of ${event.path}`).toEqual([]);
    } else if (event.type === 'run.settled') settledRuns.push(event.path);
  }
}

/** D6: a body starts only after its own request, if it made one or has to make one, was granted. */
function checkApprovals(events: readonly RunEvent[]): void {
  const asked = new Set<string>();
  const granted = new Set<string>();
  for (const event of events) {
    if (event.type === 'approval.requested') {
      asked.add(event.path);
      granted.delete(event.path); // a body that asks anew has to be told anew (D9)
    }
    if (event.type === 'approval.resolved' && event.decision === 'approve') granted.add(event.path);
    if (event.type !== 'tool.started') continue;
    const needs = asked.has(event.path) || event.call.tool.approval === 'always';
    expect(!needs || granted.has(event.path), `D6: ${event.path} runs without approval`).toBe(true);
  }
}

/** I2, J2: what asks a person is resolved before the run ends in which it asks, unless a soft stop keeps it for later. */
function checkWaits(events: readonly RunEvent[]): void {
  const open = new Map<string, string>();
  for (const event of events) {
    if (event.type === 'approval.requested') open.set(event.id, event.path);
    if (event.type === 'approval.resolved') open.delete(event.id);
    if (event.type !== 'run.settled' || event.outcome.status === 'stopped') continue;
    const left = [...open].filter(([, path]) => event.path === '/' || path.startsWith(`${event.path}/`)).map(([id]) => id);
    expect(left, `I2: ${event.path} ${event.outcome.status}, and somebody is still asked`).toEqual([]);
  }
}

const BEGINNINGS = new Set<RunEvent['type']>(['run.started', 'agent.started', 'turn.started', 'item.started', 'tool.started', 'approval.requested', 'handoff.requested']);

/**
 * J2, J4: at an interrupt, at every depth, approvals resolve before anything ends, what is inside of a call ends before the call does,
 * and the run ends last; and nothing begins any more, apart from the items that say what had streamed.
 */
export function checkStop(events: readonly RunEvent[]): void {
  const at = events.findIndex(({ cause }) => cause === 'interrupt');
  if (at < 0) return;
  const rest = events.slice(at).filter(({ type }) => type !== 'tool.late');
  expect(rest.filter((event) => BEGINNINGS.has(event.type) && !('id' in event && /\/item\.cut(\.\d+)?$/.test(event.id))), 'J4: it begins after the interrupt').toEqual([]);
  const stop = rest.filter(({ cause }) => cause === 'interrupt');
  const firstEnd = stop.findIndex(({ type }) => type === 'item.completed' || type === 'turn.settled' || type === 'run.settled');
  const lateAnswers = firstEnd < 0 ? [] : stop.slice(firstEnd).filter(({ type }) => type === 'approval.resolved');
  expect(lateAnswers, 'J2: an approval resolves after something has ended').toEqual([]);
  for (const [nth, event] of rest.entries()) {
    if (event.type !== 'item.completed') continue;
    const inside = rest.slice(nth + 1).filter(({ path }) => path.startsWith(`${event.id}/`));
    expect(inside, `J2: something inside of ${event.id} ends after it`).toEqual([]);
  }
  const root = events[0]!.path;
  const end = rest.findIndex((event) => event.type === 'run.settled' && event.path === root);
  if (end >= 0) expect(rest.slice(end + 1), 'J2: the run does not end last').toEqual([]);
}

/** C3: results stand in the order of their calls, after all calls of their response. */
function checkOrder(state: RunState<any, any>): void {
  let calls: string[] = [];
  let answered = -1;
  for (const { type, rawItem } of state.look().newItems) {
    const [id] = callIdOf(rawItem);
    if (type === 'tool_call_item' && id !== undefined) {
      if (answered >= 0) [calls, answered] = [[], -1];
      calls.push(id);
    } else if (type === 'tool_call_output_item' && id !== undefined && calls.includes(id)) {
      const at = calls.indexOf(id, answered + 1);
      expect(at, `C3: the result of ${id} is out of order`).toBeGreaterThan(answered);
      answered = at;
    }
  }
}

const CALLS = new Set(['function_call', 'computer_call', 'shell_call', 'apply_patch_call']);
const RESULTS = new Set(['function_call_result', 'computer_call_result', 'shell_call_output', 'apply_patch_call_output']);
const callIdOf = (item: object): string[] => ('callId' in item && typeof item.callId === 'string' ? [item.callId] : []);

const sum = (a: Counted, { usage: b }: Answer): Counted => ({
  requests: a.requests + (b.requests ?? 1),
  inputTokens: a.inputTokens + b.inputTokens,
  outputTokens: a.outputTokens + b.outputTokens,
  totalTokens: a.totalTokens + b.totalTokens,
});
