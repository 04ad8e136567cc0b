import { describe, expect, test } from 'vitest';
import type { AnyEventObject } from 'xstate';
import { asksForWork } from '../../machines/history.ts';
import { Log } from '../../machines/log.ts';
import type { Response } from '../../machines/protocol/call.ts';
import type { ItemReady } from '../../machines/protocol/command.ts';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import type { RunOutcome } from '../../machines/protocol/outcome.ts';
import type { ToolCallInput, ToolCallOutcome } from '../../machines/toolCall.ts';
import { type TurnContext, type TurnInput, turnMachine } from '../../machines/turn.ts';
import { type Leaf, completions, crashes, explore } from '../support/explore.ts';
import { everyConfiguration } from './everyConfiguration.ts';
import { AT, asked, callItem, callOf, combinations, failureOf, handoffTo, ok, responseOf, resultOf, said, trouble } from './samples.ts';

const BUG = { name: 'Error', message: 'bug' };
const handoff = handoffTo('other');

const responses: Response[] = [
  responseOf(),
  responseOf([], { concludesTurn: true }),
  responseOf([], { final: undefined, refusal: 'no' }),
  responseOf([], { items: [], final: undefined }),
  responseOf([callOf(0)]),
  responseOf([callOf(0), callOf(1)]),
  responseOf([callOf(0, { terminal: 'completed' }), callOf(1)]),
  responseOf([callOf(0), callOf(1)], { concludesTurn: true }),
  responseOf([callOf(0), callOf(1)], { handoff }),
  responseOf([callOf(0)], { handoff, concludesTurn: true }),
  responseOf([], { handoff, items: [handoff.item], final: undefined }),
  responseOf([], { handoff, items: [handoff.item], final: undefined, concludesTurn: true }),
];

const twoCalls = responseOf([callOf(0), callOf(1)]);
const nestedOutcome: RunOutcome = { status: 'stopped', agent: 'helper', history: [], generated: [], turns: 1, undelivered: [], inputGuardrails: [], unsaved: [] };
const carried: TurnInput['carried'][] = [
  undefined,
  { response: twoCalls, results: {} },
  { response: twoCalls, results: { 0: resultOf(callOf(0)) } },
  { response: twoCalls, results: { 0: resultOf(callOf(0)) }, nested: { 1: nestedOutcome } },
  { response: twoCalls, results: { 0: resultOf(callOf(0)), 1: resultOf(callOf(1)) } },
];

const inputs = combinations({ gateOpen: [true, false], carried }).map((choice): TurnInput => ({
  path: 'run/agent.1/turn.1', agent: 'asker', turn: 1, first: true, history: Log.of([asked('hello')]), unsaved: 0, usedTools: false, ...choice,
})).flatMap((input) => (input.carried ? [input] : [input, { ...input, usedTools: true }]));

/** Two retries are enough to see that one leads to the next. */
const ATTEMPTS = 3;

/** Of a turn that is told what is complete while its model streams; it makes nothing of having used tools. */
const isTold = ({ facts }: TurnContext) => facts.usedTools;
const attemptsOf = (context: TurnContext) => (isTold(context) ? 2 : ATTEMPTS);
/** What had begun while it streamed is part of the response. */
const toldResponses = ({ ready }: TurnContext) => (hasCalls(ready) ? [twoCalls] : [responseOf(), twoCalls]);
const hasCalls = (ready: TurnContext['ready']) => Object.keys(ready).length > 0;

const modelOutputs = (context: TurnContext) => {
  const { attempt, ready, facts: { carried: given } } = context;
  if (given) return [ok(given.response)];
  const again = attempt < attemptsOf(context) ? [{ ...trouble('model'), retryInMs: 250 }] : [];
  if (!isTold(context)) return [...responses.map(ok), trouble('model'), trouble('budget.tokens', { sent: false }), ...again];
  return [...toldResponses(context).map(ok), trouble('model'), ...again, ...(hasCalls(ready) ? [] : again.map((one) => ({ ...one, kept: [callItem('call_0')] })))];
};

/** Items that become complete while the model streams: a message, then two calls. */
const readyItems = ({ kept, ready, attempt }: TurnContext): ItemReady[] => {
  const call = callOf(Object.keys(ready).length);
  const message = kept.length === 0 ? [{ type: 'item.ready' as const, item: said('part'), at: AT }] : [];
  return attempt > 1 || call.index > 1 ? [] : [...message, { type: 'item.ready', item: call.item as AgentInputItem, call, at: AT }];
};

/** A steer that cuts: nothing was asked yet, or the answer had brought nothing that is written down nowhere, or a call. */
const cuts = ({ attempt, ready }: TurnContext): AnyEventObject[] => {
  if (attempt > 1) return [];
  const noted = hasCalls(ready) ? [[]] : [[], [callItem('call_0')]];
  return [{}, ...noted.map((items) => ({ [`run/agent.1/turn.1/model#${attempt}`]: items }))].map((cut) => ({ type: 'cut', cut }));
};

const callOutputs = ({ input }: Leaf): ToolCallOutcome[] => {
  const { call } = input as ToolCallInput; // what the turn spawns calls with
  return [{ index: call.index, result: resultOf(call), failure: null }, { index: call.index, result: null, failure: failureOf('toolCall') }];
};

/** A call that waited, with or without a nested run. */
const suspendedOutputs = ({ input }: Leaf): ToolCallOutcome[] => {
  const { index } = (input as ToolCallInput).call; // what the turn spawns calls with
  return [{ index, result: null, failure: null }, { index, result: null, failure: null, nested: nestedOutcome }];
};

const abortedOutput = ({ input }: Leaf): ToolCallOutcome[] => {
  const { call } = input as ToolCallInput; // what the turn spawns calls with
  return [{ index: call.index, result: resultOf(call, { status: 'aborted' }), failure: null }];
};

/** Calls are alike: it matters how many of them wait, not which. All that live wait: none of them ends. */
const allWait = ({ waiting, unsettled }: TurnContext) => waiting === unsettled;

const steered = { type: 'steer', input: [{ id: 's1', item: asked('s1') }] };
const commands: AnyEventObject[] = [
  { ...steered, path: 'run/agent.1/turn.1/toolCall.1.0/run' },
  { type: 'softStop' },
  { type: 'withdraw' },
  { type: 'interrupt', reason: 'user', at: AT, partials: { 'run/agent.1/turn.1/model#1': 'half a sen' } },
];

const walk = explore({
  machine: turnMachine,
  inputs,
  eventsFor: (snapshot, leaves) => {
    const { context } = snapshot;
    const stopping = snapshot.matches({ running: 'stopping' });
    const suspending = snapshot.matches({ running: 'suspending' });
    const calls = leaves.filter(({ src }) => src === 'toolCall');
    return [
      ...commands,
      ...(isTold(context) ? cuts(context) : []),
      ...(isTold(context) && snapshot.matches({ running: 'sampling' }) ? readyItems(context) : []),
      ...(context.gateOpen ? [] : [{ type: 'gate.open' }]),
      ...(calls.length > context.waiting && !stopping && !suspending ? [{ type: 'child.waits', id: 'any' }] : []),
      ...(context.waiting > 0 ? [{ type: 'child.goes', id: 'any' }] : []),
      ...completions(calls.length > 0 && allWait(context) && !suspending ? leaves.filter(({ src }) => src !== 'toolCall') : leaves, {
        model: modelOutputs(context),
        timer: [ok(null), trouble()],
        conclude: [ok(null), ok({ finalOutput: 42 }), trouble()],
        toolCall: stopping ? abortedOutput : suspending ? suspendedOutputs : callOutputs,
      }),
      ...crashes(leaves, BUG),
    ];
  },
  isTrouble: (output, { src }) => (src === 'toolCall' ? (output as ToolCallOutcome).failure !== null : (output as { status: string }).status === 'error'),
  // What is carried comes back as it was; a call that is told to stop has a result.
  isWaiting: (snapshot, { src }) => (src === 'toolCall' && (allWait(snapshot.context) || snapshot.matches({ running: 'stopping' }) || snapshot.matches({ running: 'suspending' }))) || (src === 'model' && snapshot.context.facts.carried !== undefined),
  mayFail: (error) => error === BUG,
  // Calls that have ended stay until their turn ends: stopping each of a hundred is dear, and a turn is short.
  mayLinger: (child) => child.startsWith('toolCall.'),
});

const ended = walk.states.filter(({ snapshot }) => snapshot.status === 'done').map(({ snapshot }) => snapshot);

everyConfiguration('turn', { rule: 'A1', walk, moreThan: 500 });

describe('every turn', () => {
  test('K4: a bug in an effect or a call breaks the turn', () => {
    const broken = walk.edges.filter(({ event }) => event.type.startsWith('xstate.error.actor.'));
    expect(broken.length).toBeGreaterThan(0);
    expect(new Set(broken.map(({ to }) => walk.states[to]!.snapshot.status))).toEqual(new Set(['error']));
  });
});

describe('on every way through the turn chart', () => {
  test('L7: a steer goes to the call that its path leads through while that is at work, and is dropped else', () => {
    const steers = walk.edges.filter(({ event }) => event.type === 'steer');
    const passed = steers.filter(({ effects }) => effects.some((effect) => effect.kind === 'send' && effect.to === 'toolCall.1.0' && effect.event.type === 'steer'));
    const dropped = steers.filter(({ effects }) => effects.some((effect) => effect.kind === 'emit' && effect.event.type === 'input.dropped' && effect.event['reason'] === 'path'));
    expect([passed.length > 0, dropped.length > 0, passed.length + dropped.length]).toEqual([true, true, steers.length]);
  });

  test('C3: results stand in call order after all calls, whatever the order in which they came', () => {
    const full = ended.filter(({ output }) => output!.next === 'again' && output!.response!.calls.length === 2);
    expect(full.length).toBeGreaterThan(0);
    for (const { output } of full) {
      expect(output!.records.map(({ rawItem }) => [rawItem.type, 'callId' in rawItem && rawItem.callId])).toEqual([
        ['function_call', 'call_0'], ['function_call', 'call_1'], ['function_call_result', 'call_0'], ['function_call_result', 'call_1'],
      ]);
    }
  });

  test('G3: a turn that ends otherwise than suspended or failed has one result for each call', () => {
    for (const { output } of ended) {
      if (output!.next === 'suspended' || output!.next === 'failed') continue;
      expect(Object.keys(output!.results)).toEqual((output!.response?.calls ?? []).map(({ index }) => String(index)));
    }
  });

  test('E1: while the gate is shut nothing is done with a response', () => {
    const shut = walk.edges.filter(({ from, event }) => !walk.states[from]!.snapshot.context.gateOpen && event.type !== 'gate.open');
    expect(shut.length).toBeGreaterThan(0);
    const started = shut.flatMap(({ effects }) => effects.filter((effect) => effect.kind === 'spawn' && effect.src !== 'model' && effect.src !== 'timer'));
    expect(started).toEqual([]);
    for (const { to } of shut) expect(['final', 'handoff', 'again']).not.toContain(walk.states[to]!.snapshot.output?.next);
  });

  test('D1, C4: the turn awaits approval exactly when the model is done and all calls that have not ended wait', () => {
    for (const { snapshot } of walk.states) {
      if (snapshot.status !== 'active' || snapshot.matches({ running: 'sampling' }) || snapshot.matches({ running: 'stopping' }) || snapshot.matches({ running: 'suspending' })) continue;
      const { unsettled, waiting } = snapshot.context;
      expect(snapshot.matches('awaitingApproval')).toBe(unsettled > 0 && waiting === unsettled);
    }
  });

  test('D5: a call that waits beats a handoff in the same response', () => {
    const waiting = walk.states.filter(({ snapshot }) => snapshot.matches('awaitingApproval') && snapshot.context.response!.handoff);
    expect(waiting.length).toBeGreaterThan(0);
    for (const snapshot of ended) if (snapshot.matches('handoff')) expect(snapshot.context.unsettled).toBe(0);
  });

  test('C4: a call begins once, when its item is complete or with the response, and not while the gate is shut or after a failure', () => {
    const begun = walk.edges.flatMap((edge) => edge.effects.flatMap((effect) => (effect.kind === 'spawn' && effect.src === 'toolCall' ? [{ edge, id: effect.id }] : [])));
    const early = begun.filter(({ edge }) => walk.states[edge.to]!.snapshot.matches({ running: 'sampling' }));
    expect(new Set(early.map(({ edge }) => edge.event.type))).toEqual(new Set(['item.ready', 'gate.open']));
    for (const { edge, id } of begun) {
      const { snapshot } = walk.states[edge.from]!;
      expect(Object.keys(snapshot.children)).not.toContain(id);
      expect([snapshot.context.failure, walk.states[edge.to]!.snapshot.context.gateOpen]).toEqual([null, true]);
    }
  });

  test('C4: calls that have begun keep their place when the model is asked again, and are not begun anew', () => {
    const again = walk.states.filter(({ snapshot }) => snapshot.status === 'active' && snapshot.context.attempt > 1 && Object.values(snapshot.context.ready).some(({ begun }) => begun));
    expect(again.length).toBeGreaterThan(0);
    for (const { snapshot } of again) {
      const [begun, children] = [Object.values(snapshot.context.ready).filter((one) => one.begun), Object.keys(snapshot.children)];
      for (const { call } of begun) expect(children.filter((child) => child.endsWith(`.${call.index}`))).toEqual([`toolCall.1.${call.index}`]);
    }
  });

  test('C4, K2: a model that fails for good while calls are at work leaves them to their end; what is complete of its answer stands', () => {
    const failing = walk.edges.filter(({ from, event }) => event.type === 'xstate.done.actor.model' && event.output.status === 'error' && event.output.retryInMs === undefined && walk.states[from]!.snapshot.context.unsettled > 0);
    expect(failing.length).toBeGreaterThan(0);
    for (const { from, to } of failing) {
      const [before, after] = [walk.states[from]!.snapshot.context, walk.states[to]!.snapshot];
      expect(['acting', 'suspending']).toContain((after.value as { running: string }).running);
      expect(after.context.response).toMatchObject({ calls: Object.values(before.ready).map(({ call }) => call), unread: true });
      expect(after.context.unsettled).toBe(before.unsettled);
    }
  });

  test('L2: a cut takes no call that has begun or is complete: the turn is asked for them; without one it ends, and what is complete stands', () => {
    const cut = walk.edges.filter(({ event, taken }) => event.type === 'cut' && taken.length > 0);
    expect(cut.length).toBeGreaterThan(0);
    for (const { from, to, effects } of cut) {
      const [before, { context, status, output }] = [walk.states[from]!.snapshot.context, walk.states[to]!.snapshot];
      expect([context.unsettled, Object.keys(context.ready)]).toEqual([before.unsettled, Object.keys(before.ready)]);
      const announced = effects.flatMap((effect) => (effect.kind === 'emit' ? [effect.event.type] : []));
      expect(announced.includes('turn.retracted')).toBe(walk.states[from]!.snapshot.matches({ running: 'sampling' })); // a pause has told what stands
      if (status !== 'done') expect(context.attempt).toBe(before.attempt + 1);
      else expect([output!.next, Object.keys(before.ready), output!.response?.items ?? []]).toEqual(['cut', [], context.kept]);
    }
  });

  test('J1, K2: a soft stop ends a pause before a retry and a wait for a person at once, with what is done kept', () => {
    const stops = walk.edges.filter(({ from, event }) => event.type === 'softStop' && ['backingOff', 'awaitingApproval'].some((word) => JSON.stringify(walk.states[from]!.snapshot.value).includes(word)));
    expect(stops.length).toBeGreaterThan(0);
    for (const { from, to } of stops) {
      const { context, output, status } = walk.states[to]!.snapshot;
      const before = walk.states[from]!.snapshot;
      const stands = before.matches({ running: 'backingOff' }) && before.context.kept.length > 0 && !before.context.kept.some(asksForWork);
      expect(context.decision?.next).toBe(stands ? 'cut' : 'suspended');
      expect(stands ? context.response!.items : context.response).toEqual(stands ? before.context.kept : before.context.response);
      if (status === 'done') expect(output!.next).toBe(stands ? 'cut' : 'suspended');
      else expect(walk.states[to]!.snapshot.matches({ running: 'suspending' })).toBe(true);
    }
  });

  test('J1, K5: calls that are suspended keep how far their nested runs had come', () => {
    const kept = ended.filter(({ output }) => output!.nested !== undefined).map(({ output }) => output!);
    expect(kept.length).toBeGreaterThan(0);
    for (const { next, nested } of kept) {
      expect(['suspended', 'failed', 'interrupted']).toContain(next);
      for (const outcome of Object.values(nested!)) expect(outcome).toEqual(nestedOutcome);
    }
  });

  test('J2: text that had streamed is kept as a message marked incomplete, and held calls get an aborted result', () => {
    const cut = walk.edges.filter(({ event }) => event.type === 'interrupt').map(({ from, to }) => ({ before: walk.states[from]!.snapshot, after: walk.states[to]!.snapshot }));
    const sampling = cut.filter(({ before }) => before.matches({ running: 'sampling' }) && before.context.attempt === 1 && before.context.kept.length === 0 && !before.context.facts.carried);
    expect(sampling.length).toBeGreaterThan(0);
    for (const { after } of sampling) {
      expect(after.output!.records.map(({ rawItem }) => rawItem)).toEqual([
        { type: 'message', role: 'assistant', status: 'incomplete', content: [{ type: 'output_text', text: 'half a sen' }] },
      ]);
    }
    const held = cut.filter(({ before }) => before.matches({ running: 'holding' }) && before.context.response!.calls.length > 0 && !before.context.facts.carried);
    expect(held.length).toBeGreaterThan(0);
    for (const { after } of held) expect(Object.values(after.output!.results).map(({ status }) => status)).toEqual(after.output!.response!.calls.map(() => 'aborted'));
  });

  test('J4: after the interrupt nothing is started any more', () => {
    const stopping = walk.edges.filter(({ from, event }) => event.type === 'interrupt' || walk.states[from]!.snapshot.matches({ running: 'stopping' }));
    expect(stopping.flatMap(({ effects }) => effects.filter(({ kind }) => kind === 'spawn'))).toEqual([]);
  });

  test('K1: each attempt is a request with a number of its own, and none follows when the answer is not one to retry', () => {
    const requests = walk.edges.flatMap(({ effects }) => effects).filter((effect) => effect.kind === 'spawn' && effect.src === 'model');
    expect(new Set(requests.map((effect) => (effect as { input: { effectId: string } }).input.effectId))).toEqual(
      new Set(['run/agent.1/turn.1/model#2', 'run/agent.1/turn.1/model#3']),
    );
    const refused = walk.edges.filter(({ event }) => event.type === 'xstate.done.actor.model' && event.output.status === 'error' && event.output.retryInMs === undefined);
    expect(new Set(refused.map(({ to }) => walk.states[to]!.snapshot.context.failure !== null))).toEqual(new Set([true]));
  });

  test('I1: each end is announced once, with the guard that decided', () => {
    for (const { effects, to } of walk.edges) {
      const announced = effects.filter((effect) => effect.kind === 'emit' && effect.event.type === 'turn.settled').map((effect) => (effect as { event: AnyEventObject }).event);
      const { snapshot } = walk.states[to]!;
      expect(announced).toHaveLength(snapshot.status === 'done' ? 1 : 0);
      if (snapshot.status === 'done') expect(announced[0]).toMatchObject({ next: snapshot.output!.next, guard: expect.stringMatching(/\w/) });
    }
  });
});
