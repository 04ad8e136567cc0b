import { describe, expect, test } from 'vitest';
import type { AnyEventObject } from 'xstate';
import type { AgentOutcome, RunInput } from '../../machines/protocol/outcome.ts';
import type { AgentInput } from '../../machines/agentMemory.ts';
import { runMachine } from '../../machines/run.ts';
import type { GuardrailInput, RunContext } from '../../machines/runMemory.ts';
import { type Leaf, completions, crashes, explore } from '../support/explore.ts';
import { everyConfiguration } from './everyConfiguration.ts';
import { AT, asked, callOf, combinations, failureOf, handoffTo, ok, preparedFor, steerOf, trouble } from './samples.ts';

const BUG = { name: 'Error', message: 'bug' };

const prepared = combinations({
  blocking: [[], ['b0', 'b1']],
  parallel: [[], ['p0', 'p1']],
  tellsErrors: [false, true],
}).map((choice) => preparedFor('first', choice));

const inputs: RunInput[] = [
  ...prepared.map((one): RunInput => ({ path: 'run', agent: 'first', prepared: one })),
  { path: 'run', agent: 'first', prepared: preparedFor('first', { session: true, blocking: ['b0'], parallel: ['p0'] }) },
  { path: 'run', agent: 'first', prepared: preparedFor('first', { compaction: { limit: 100 }, blocking: ['b0'] }) },
  { path: 'run', agent: 'first', given: [asked('hello')] },
  { path: 'call/run', agent: 'caller', delegatedBy: callOf(0) },
];

const ACTIVATIONS = 2;

function agentOutcomes(input: AgentInput, snapshotStopping: boolean, activation: number): AgentOutcome[] {
  const base: Omit<AgentOutcome, 'status'> = {
    history: input.history, generated: [], lastTurn: 0, unsaved: [], turns: 1, emptyStreak: 0, softStop: false, undelivered: input.pendingInput,
  };
  const failed: AgentOutcome = { ...base, status: 'failed', failure: failureOf('model') };
  if (snapshotStopping) return [{ ...base, status: 'interrupted' }, { ...base, status: 'completed', how: 'answered', output: 'done' }, failed];
  const completed = { ...base, status: 'completed', how: 'answered', output: 'done' } as const;
  const outcomes: AgentOutcome[] = [completed, { ...completed, undelivered: steerOf('late').input }, { ...base, status: 'stopped' }, failed];
  return activation < ACTIVATIONS ? [...outcomes, { ...base, status: 'handoff', handoff: handoffTo('second') }] : outcomes;
}

const verdicts = ({ input }: Leaf) => {
  const { index, name } = input as GuardrailInput; // what the run spawns guardrails with
  return [ok({ index, name, tripwireTriggered: false }), ok({ index, name, tripwireTriggered: true, outputInfo: 'bad' }), trouble('guardrailExecution')];
};

/** While guardrails look, an agent holds what it has: it neither ends well nor hands off before they are done. */
const isHeld = (context: RunContext) => context.guardrails.pending > 0;

function agentEnds(context: RunContext, stopping: boolean, leaf: Leaf): AgentOutcome[] {
  const outcomes = agentOutcomes(leaf.input as AgentInput, stopping, context.activation); // what the run spawns agents with
  return isHeld(context) && !stopping ? [] : outcomes;
}

const walk = explore({
  machine: runMachine,
  inputs,
  eventsFor: (snapshot, leaves) => {
    const { context } = snapshot;
    const stopping = snapshot.matches({ running: 'stopping' });
    const waits = snapshot.matches('awaitingApproval');
    const agentAlive = leaves.some(({ src }) => src === 'agent');
    const commands: AnyEventObject[] = [
      { type: 'softStop' }, { type: 'withdraw' }, { type: 'configure', maxTurns: 3 }, { type: 'configure' },
      ...(['user', 'replaced'] as const).map((reason) => ({ type: 'interrupt', reason, at: AT })),
      ...(context.pendingInput.length < 1 ? [steerOf('s1'), { ...steerOf('elsewhere'), path: 'run/agent.9' }] : []),
      ...(context.pendingInput.length < 1 && context.prepared?.session ? [{ type: 'mail', input: steerOf('m1').input }] : []),
      ...(context.prepared?.compaction && !context.conversation.compactionAsked ? [{ type: 'compact' }] : []),
    ];
    return [
      ...commands,
      ...(agentAlive && !stopping && !isHeld(context) ? [{ type: waits ? 'child.goes' : 'child.waits', id: 'any' }] : []),
      ...completions(waits ? leaves.filter(({ src }) => src !== 'agent') : leaves, {
        prepare: [ok(preparedFor('first', { blocking: ['b0'], parallel: ['p0'] })), ok(preparedFor('first')), trouble('session')],
        inputGuardrail: verdicts,
        agent: (leaf) => agentEnds(context, stopping, leaf),
        handoffFilter: [ok({ target: 'second', records: [] }), ok({ target: 'second', records: [], shaped: { base: [asked('short')], records: [] } }), trouble()],
        runError: [ok(null), trouble()],
      }),
      ...crashes(leaves, BUG),
    ];
  },
  isTrouble: (output) => ['error', 'failed'].includes((output as { status: string }).status),
  isWaiting: (snapshot, { src }) => src === 'agent' && (snapshot.matches('awaitingApproval') || isHeld(snapshot.context)),
  mayFail: (error) => error === BUG,
});

const ended = walk.states.filter(({ snapshot }) => snapshot.status === 'done').map(({ snapshot }) => snapshot);

everyConfiguration('run', { rule: 'P1', walk, moreThan: 500 });

describe('on every way through the run chart', () => {
  const failures = ended.filter(({ output }) => output!.status === 'failed');

  test('P1: an outcome is failed exactly when there is a failure', () => {
    expect(failures.length).toBeGreaterThan(0);
    for (const { output } of ended) expect(output!.failure !== undefined).toBe(output!.status === 'failed');
  });

  test('P1: `interrupted` is a state of its own, and all other outcomes are `settled`', () => {
    for (const snapshot of ended) expect(snapshot.value).toBe(snapshot.output!.status === 'interrupted' ? 'interrupted' : 'settled');
    expect(new Set(ended.map(({ output }) => output!.status))).toEqual(new Set(['completed', 'failed', 'stopped', 'interrupted']));
  });

  test('E1: no agent starts before the blocking guardrails have passed', () => {
    const starts = walk.edges.filter(({ effects }) => effects.some((effect) => effect.kind === 'spawn' && effect.src === 'agent'));
    expect(starts.length).toBeGreaterThan(0);
    for (const { to } of starts) {
      const { prepared: facts, guardrails } = walk.states[to]!.snapshot.context;
      for (const [index] of facts!.blocking.entries()) expect(guardrails.results[index]).toMatchObject({ tripwireTriggered: false });
    }
  });

  test('E1: a trip beside the agent interrupts it at once, and the run settles when all guardrails are drained', () => {
    const trips = walk.edges.filter(({ from, event }) => event.type.startsWith('xstate.done.actor.guardrail.') && (event.output.status === 'error' || event.output.value.tripwireTriggered) && walk.states[from]!.snapshot.matches({ running: 'active' }));
    expect(trips.length).toBeGreaterThan(0);
    for (const { to, effects } of trips) {
      expect(walk.states[to]!.snapshot.value).toEqual({ running: 'stopping' });
      expect(effects.flatMap((effect) => (effect.kind === 'send' ? [effect.event.type] : []))).toEqual(['withdraw', 'interrupt']);
    }
    for (const { context } of failures) expect(context.guardrails.pending).toBe(0);
  });

  test('E1: the gate opens with the last guardrail that passes, and only then', () => {
    const opened = walk.edges.filter(({ effects }) => effects.some((effect) => effect.kind === 'send' && effect.event.type === 'gate.open'));
    expect(opened.length).toBeGreaterThan(0);
    for (const { to } of opened) {
      const { context } = walk.states[to]!.snapshot;
      expect(context.guardrails.pending).toBe(0);
      expect(Object.values(context.guardrails.results).every(({ tripwireTriggered }) => !tripwireTriggered)).toBe(true);
    }
  });

  test('J1: a soft stop during a handoff announces the new agent and does not start it', () => {
    const stopped = walk.edges.filter(({ from, event }) => event.type === 'xstate.done.actor.handoffFilter' && event.output?.status === 'ok' && walk.states[from]!.snapshot.context.softStop);
    expect(stopped.length).toBeGreaterThan(0);
    for (const { to, effects } of stopped) {
      expect(effects.filter(({ kind }) => kind === 'spawn').filter((effect) => (effect as { src: string }).src === 'agent')).toEqual([]);
      expect(effects.some((effect) => effect.kind === 'emit' && effect.event.type === 'handoff.occurred')).toBe(true);
      expect(walk.states[to]!.snapshot.output).toMatchObject({ status: 'stopped', agent: 'second' });
    }
  });

  test('J4: after the interrupt nothing is started but the telling of an error', () => {
    const late = walk.edges.filter(({ from, event }) => event.type === 'interrupt' || walk.states[from]!.snapshot.matches({ running: 'stopping' }));
    const started = new Set(late.flatMap(({ effects }) => effects.flatMap((effect) => (effect.kind === 'spawn' ? [effect.src] : []))));
    expect([...started]).toEqual(['runError']);
  });

  test('L3: a steer is passed to the agent at work, or kept for the next one, or given back at the end', () => {
    const steers = walk.edges.filter(({ event }) => event.type === 'steer' && event['path'] === undefined);
    const passed = steers.filter(({ effects }) => effects.some((effect) => effect.kind === 'send' && effect.event.type === 'steer'));
    expect([passed.length > 0, steers.length > passed.length]).toEqual([true, true]);
    for (const edge of steers) {
      const { context } = walk.states[edge.from]!.snapshot;
      const kept = walk.states[edge.to]!.snapshot.context.pendingInput;
      expect([passed.includes(edge), kept]).toEqual(context.agentAlive ? [true, []] : [false, steerOf('s1').input]);
    }
    for (const { from, to, effects } of walk.edges) {
      const { pendingInput } = walk.states[from]!.snapshot.context;
      const { status, output } = walk.states[to]!.snapshot;
      for (const effect of effects) if (effect.kind === 'spawn' && effect.src === 'agent') expect((effect.input as AgentInput).pendingInput).toEqual(pendingInput);
      if (status === 'done' && pendingInput.length > 0) expect(output!.undelivered).toEqual(pendingInput);
    }
  });

  test('L7: a steer for an agent that is not at work is accepted and dropped', () => {
    const astray = walk.edges.filter(({ event }) => event.type === 'steer' && event['path'] !== undefined);
    expect(astray.length).toBeGreaterThan(0);
    for (const { from, effects } of astray) {
      // What is for a nested run was accepted by the run around it.
      const acceptance = walk.states[from]!.snapshot.context.facts.delegatedBy ? [] : [{ event: { type: 'input.accepted', ids: ['elsewhere'] } }];
      expect(effects).toMatchObject([...acceptance, { event: { type: 'input.dropped', reason: 'path', ids: ['elsewhere'] } }]);
    }
  });

  test('P2: input that waits at the end is announced as dropped, with the reason', () => {
    const ends = walk.edges.filter(({ from, to }) => walk.states[to]!.snapshot.status === 'done' && walk.states[from]!.snapshot.status === 'active');
    const told = ends.flatMap(({ to, effects }) => effects.flatMap((effect) => (effect.kind === 'emit' && effect.event.type === 'input.dropped' && effect.event['reason'] !== 'path' ? [{ reason: effect.event['reason'], ...walk.states[to]!.snapshot.output! }] : [])));
    expect(new Set(told.map(({ reason }) => reason))).toEqual(new Set(['interrupted', 'failed', 'stopped', 'late']));
    for (const { reason, status, undelivered } of told) {
      expect(undelivered.length).toBeGreaterThan(0);
      if (status !== 'completed') expect(reason).toBe(status);
    }
  });

  test('I2: the outcome is announced once, as the last thing', () => {
    for (const { to, effects } of walk.edges) {
      const announced = effects.filter((effect) => effect.kind === 'emit').map((effect) => effect.event.type as string);
      const isEnd = walk.states[to]!.snapshot.status === 'done';
      expect(announced.filter((type) => type === 'run.settled')).toHaveLength(isEnd ? 1 : 0);
      if (isEnd) expect(announced.at(-1)).toBe('run.settled');
    }
  });
});
