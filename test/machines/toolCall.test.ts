import { describe, expect, test } from 'vitest';
import type { AnyEventObject } from 'xstate';
import type { Call } from '../../machines/protocol/call.ts';
import type { RunOutcome } from '../../machines/protocol/outcome.ts';
import { type ToolCallInput, toolCallMachine } from '../../machines/toolCall.ts';
import { type Leaf, completions, crashes, explore } from '../support/explore.ts';
import { everyConfiguration } from './everyConfiguration.ts';
import { AT, callOf, combinations, ok, resultItem, resultOf, trouble } from './samples.ts';

const BUG = { name: 'Error', message: 'bug' };

const facts = combinations({
  approval: ['never', 'always', 'ask'],
  guardsInput: [false, true],
  guardsOutput: [false, true],
  screensInput: [false, true],
  delegates: [false, true],
} as const);

const calls: Call[] = [
  ...facts.map((tool) => callOf(0, tool)),
  callOf(0, {}, { invalid: { reason: 'json', text: 'no JSON' } }),
  callOf(0, {}, { invalid: { reason: 'notRun', text: 'not run' } }),
  callOf(0, {}, { recorded: resultItem('call_0') }),
];

const nestedOutcome = (status: RunOutcome['status']): RunOutcome => ({
  status, agent: 'helper', history: [], generated: [], turns: 1, undelivered: [], inputGuardrails: [], unsaved: [],
});

const outputs = {
  approvalPolicy: [ok({ approval: 'granted' }), ok({ approval: 'needed' }), ok({ approval: 'rejected', message: 'never' }), trouble()],
  toolGuardrail: [ok({ result: null }), ok({ result: resultOf(callOf(0), { status: 'rejected' }) }), trouble('toolCall')],
  person: [
    ok({ decision: 'approve' }),
    ok({ decision: 'approve', arguments: '{"place":"Oslo"}' }),
    ok({ decision: 'approve', arguments: '{', invalid: 'no JSON' }),
    ok({ decision: 'reject' }),
    ok({ decision: 'reject', message: 'not now' }),
    trouble(),
  ],
  execute: [ok(resultOf(callOf(0))), trouble('toolCall')],
};

/** A nested run is interrupted by its call and by nobody else. */
const nestedOutputs = (stopping: boolean) => (stopping ? (['interrupted', 'failed', 'completed'] as const) : (['completed', 'failed', 'stopped'] as const)).map(nestedOutcome);

const inputOf = (call: Call): ToolCallInput => ({ path: 'run/agent.1/turn.1/toolCall.1.0', agent: 'asker', call, askedAt: 0 });

const walk = explore({
  machine: toolCallMachine,
  inputs: [...calls.map(inputOf), { ...inputOf(callOf(0, { delegates: true, approval: 'always' })), resumed: nestedOutcome('stopped') }],
  eventsFor: (snapshot, leaves) => [
    { type: 'interrupt', reason: 'user', at: AT },
    { type: 'withdraw' },
    { type: 'softStop' },
    ...whatNestedRunTells(leaves, snapshot.matches({ awaitingApproval: 'nested' })),
    // A run that waits goes on before it ends.
    ...completions(snapshot.matches({ awaitingApproval: 'nested' }) ? [] : leaves, { ...outputs, run: nestedOutputs(snapshot.matches({ running: 'stopping' })) }),
    ...crashes(leaves, BUG),
  ],
  isTrouble: (output) => ['error', 'failed', 'interrupted'].includes((output as { status: string }).status),
  mayFail: (error) => error === BUG,
  isWaiting: (snapshot) => snapshot.matches({ awaitingApproval: 'nested' }),
});

function whatNestedRunTells(leaves: readonly Leaf[], waits: boolean): AnyEventObject[] {
  if (!leaves.some(({ src }) => src === 'run')) return [];
  return [{ type: waits ? 'child.goes' : 'child.waits', id: 'run/agent.1/turn.1/toolCall.1.0/run' }];
}

everyConfiguration('tool call', { rule: 'C1', walk, moreThan: 400 });

describe('every tool call', () => {
  test('C2: ends with a result or with a failure, never with both; with neither only after a soft stop found it waiting', () => {
    const ends = walk.edges.filter(({ to }) => walk.states[to]!.snapshot.status === 'done');
    expect(ends.length).toBeGreaterThan(0);
    for (const { from, to, event } of ends) {
      const { result, failure, nested } = walk.states[to]!.snapshot.output!;
      const waited = walk.states[from]!.snapshot.matches({ awaitingApproval: 'decision' }) && event.type === 'softStop';
      const suspended = waited || nested !== undefined;
      expect([result === null, failure === null].sort()).toEqual(suspended ? [true, true] : [false, true]);
    }
  });

  test('J1: the nested run of a suspended call comes back as far as it had come', () => {
    const suspended = walk.states.map(({ snapshot }) => snapshot.output?.nested).filter((nested) => nested !== undefined);
    expect(suspended.length).toBeGreaterThan(0);
    for (const nested of suspended) expect(nested).toEqual(nestedOutcome('stopped'));
  });

  test('K4: a bug in an effect breaks the call and is not made a result', () => {
    const broken = walk.edges.filter(({ event }) => event.type.startsWith('xstate.error.actor.'));
    expect(new Set(broken.map(({ to }) => walk.states[to]!.snapshot.status))).toEqual(new Set(['error']));
    expect(broken.length).toBeGreaterThan(0);
  });
});

describe('on every way through the tool call chart', () => {
  /** What had been asked and started when the state was reached, along one shortest way. */
  const startedOn = (index: number): string[] => {
    const started: string[] = [];
    for (let at = walk.states[index]!; ; at = walk.states[at.from!.state]!) {
      const edge = at.from && walk.edges.find(({ from, to, event }) => from === at.from!.state && to === at.index && event === at.from!.event);
      const effects = edge ? edge.effects : at.startEffects;
      started.unshift(...effects.filter((effect) => effect.kind === 'spawn').map((effect) => effect.src));
      if (!at.from) return started;
    }
  };
  const bodies = walk.edges.flatMap((edge) =>
    edge.effects.filter((effect) => effect.kind === 'spawn' && (effect.src === 'execute' || effect.src === 'run')).map(() => edge),
  );

  test('D6: a body or a nested run starts only after a person said yes, where one has to be asked', () => {
    expect(bodies.length).toBeGreaterThan(0);
    for (const edge of bodies) {
      const { call, resumed } = walk.states[edge.from]!.snapshot.context;
      if (resumed) continue; // its nested run had begun, so a person had said yes
      const way = [...walk.pathTo(walk.states[edge.from]!), edge.event];
      const approved = way.some(({ output }) => output?.value?.decision === 'approve' && output.value.invalid === undefined);
      const granted = way.some(({ output }) => output?.value?.approval === 'granted');
      if (call.tool.approval === 'always') expect(approved).toBe(true);
      if (call.tool.approval === 'ask') expect(approved || granted).toBe(true);
    }
  });

  test('E4: a body starts only after the input guardrails looked, where there are some', () => {
    for (const edge of bodies) {
      const { tool } = walk.states[edge.from]!.snapshot.context.call;
      if (tool.guardsInput) expect(startedOn(edge.from)).toContain('toolGuardrail');
    }
  });

  test('C1: with input guardrails before approval, they look once before the person and once before the body', () => {
    const twice = bodies.filter(({ from }) => {
      const { tool } = walk.states[from]!.snapshot.context.call;
      return tool.approval === 'always' && tool.screensInput && tool.guardsInput;
    });
    expect(twice.length).toBeGreaterThan(0);
    for (const { from } of twice) expect(startedOn(from).slice(0, 3)).toEqual(['toolGuardrail', 'person', 'toolGuardrail']);
  });

  test('J4: after the interrupt nothing is started any more', () => {
    const stopping = walk.edges.filter(({ from }) => walk.states[from]!.snapshot.matches({ running: 'stopping' }));
    expect(stopping.length).toBeGreaterThan(0);
    expect(stopping.flatMap(({ effects }) => effects.filter(({ kind }) => kind === 'spawn'))).toEqual([]);
  });

  test('J2: an interrupted call has a result that says after how long it was cut', () => {
    const cut = walk.states.filter(({ snapshot }) => snapshot.matches('interrupted')).map(({ snapshot }) => snapshot.output!.result);
    expect(cut.length).toBeGreaterThan(0);
    for (const result of cut) expect(result).toMatchObject({ status: 'aborted', output: 'aborted by user after 1.0s' });
  });

  test('I2: each call says once that it ends, and each request for approval is resolved', () => {
    const emittedOn = (type: string) => (edge: { effects: (typeof walk.edges)[number]['effects'] }) =>
      edge.effects.filter((effect) => effect.kind === 'emit' && effect.event.type === type).length;
    for (const edge of walk.edges) {
      const ends = walk.states[edge.to]!.snapshot.status === 'done';
      expect(emittedOn('call.settled')(edge)).toBe(ends ? 1 : 0);
      // A withdrawal goes ahead of every interrupt, so that approvals are resolved before items end (J2).
      const waited = walk.states[edge.from]!.snapshot.matches({ awaitingApproval: 'decision' });
      const resolves = waited && (edge.event.type === 'withdraw' || edge.event.type === 'xstate.done.actor.person');
      expect(emittedOn('approval.resolved')(edge)).toBe(resolves ? 1 : 0);
    }
  });
});
