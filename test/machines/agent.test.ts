import { describe, expect, test } from 'vitest';
import type { AnyEventObject, SnapshotFrom } from 'xstate';
import { type AgentContext, type AgentInput, agentMachine } from '../../machines/agent.ts';
import { canGoOn } from '../../machines/agentMemory.ts';
import { type ScreenInput, reopens } from '../../machines/pendingInput.ts';
import type { CarriedTurn, ErrorKind, TurnNext, TurnOutcome } from '../../machines/protocol/outcome.ts';
import { compactionItem, isOwnCompaction } from '../../machines/compaction.ts';
import { recordsOfTurn } from '../../machines/history.ts';
import { NO_USAGE } from '../../machines/protocol/call.ts';
import type { TurnInput } from '../../machines/turn.ts';
import { type Leaf, completions, crashes, explore } from '../support/explore.ts';
import { everyConfiguration } from './everyConfiguration.ts';
import { AT, asked, callOf, combinations, failureOf, handoffTo, ok, responseOf, resultOf, said, steerOf, trouble } from './samples.ts';

const BUG = { name: 'Error', message: 'bug' };
const KINDS: ErrorKind[] = ['maxTurns', 'modelRefusal', 'invalidFinalOutput'];
const call = callOf(0);
const carried: CarriedTurn = { response: responseOf([call]), results: {} };

const plain: AgentInput = {
  path: 'run/agent.1', agent: 'asker', history: [asked('hello')], unsaved: [], turns: 0, maxTurns: null, emptyStreak: 0, softStop: false,
  gateOpen: true, pendingInput: [], session: false, errorHandlers: [], carried: null,
};

const long = [asked('hello'), said('what is it?'), asked('and now?')];

const inputs: AgentInput[] = [
  ...combinations({ session: [false, true], gateOpen: [true, false] }).map((choice) => ({
    ...plain,
    ...choice,
    unsaved: choice.session ? [asked('hello')] : [],
  })),
  { ...plain, errorHandlers: KINDS },
  { ...plain, maxTurns: 0 },
  { ...plain, maxTurns: 0, errorHandlers: KINDS, gateOpen: false },
  { ...plain, emptyStreak: 2 },
  { ...plain, softStop: true },
  { ...plain, turns: 1, carried },
  { ...plain, turns: 1, carried: { ...carried, saved: true }, session: true, unsaved: [asked('hello')] },
  { ...plain, pendingInput: steerOf('s0').input },
  { ...plain, server: { auto: true, known: 0 } },
  { ...plain, stopHooks: true },
  { ...plain, stopHooks: true, maxTurns: 1 },
  { ...plain, stopHooks: true, screensInput: true },
  { ...plain, screensInput: true, pendingInput: steerOf('s0').input.map((input) => ({ ...input, staged: true as const })) },
  { ...plain, finalTurn: true, maxTurns: 1, screensInput: true },
  { ...plain, finalTurn: true, maxTurns: 0, errorHandlers: KINDS },
  { ...plain, stuckDetection: { repetition: 2, failing: 2, monologue: 2, alternating: 3 } },
  { ...plain, stuckDetection: { repetition: 2, failing: 2, monologue: 2, alternating: 3 }, stopHooks: true, maxTurns: 4 },
  // A conversation that is too long already, and one that no provider has complained of yet.
  { ...plain, history: long, compaction: { limit: 10 } },
  { ...plain, history: long, compaction: { limit: 10 }, session: true, unsaved: [asked('and now?')] },
  { ...plain, history: long, compaction: { limit: 1_000_000, size: 40 }, maxTurns: 1 },
];

/** Two turns are enough to see that one leads to the next; the third of an empty streak comes from the input. */
const TURNS = 2;
/** Told once of a streak of two, an agent may go on with it. */
const turnsOf = ({ facts }: AgentContext) => (facts.stuckDetection ? TURNS + 2 : TURNS);

function outcome(next: TurnNext, more: Partial<TurnOutcome> = {}): TurnOutcome {
  const { response = null, results = {} } = more;
  return { next, response, results, records: recordsOfTurn('asker', response, results), ...more };
}

/** What a session has, and how an error is handled, has nothing to do with what is cut. */
const isCuttable = ({ facts }: AgentContext) => !facts.session && facts.errorHandlers.length === 0 && !isSteered({ facts });
const isSteered = ({ facts }: Pick<AgentContext, 'facts'>) => Boolean(facts.screensInput || facts.stopHooks || facts.stuckDetection);

function turnOutcomes(input: TurnInput, context: AgentContext): TurnOutcome[] {
  const { gateOpen, pendingInput, cuts } = context;
  const turns = turnsOf(context);
  const response = input.carried?.response ?? responseOf([call]);
  const acted = { response, results: { 0: resultOf(call) } };
  const answered = responseOf([], { responseId: 'r1' });
  const failures = [outcome('failed', { failure: failureOf('model') }), outcome('failed', { failure: failureOf('user', { sent: false }) })];
  const isCut = isCuttable(context) && pendingInput.length > 0 && cuts === 0;
  const stops = [outcome('suspended'), ...(isCut ? [outcome('cut'), outcome('cut', { response: responseOf([], { items: [said('part')], final: undefined }) })] : [])];
  if (input.history.length >= long.length) failures.push(outcome('failed', { failure: failureOf('contextWindow', { effectId: `${input.path}/model#1` }) }));
  if (!gateOpen) return [...failures, ...stops];
  const ends: TurnOutcome[] = [
    outcome('final', { response: answered, finalOutput: 'done' }),
    outcome('final', { response: responseOf([], { items: [said('secret')], guardsOutput: true, endsAgent: true }), finalOutput: 'secret' }),
    outcome('final', { ...acted, response: { ...response, guardsOutput: true }, finalOutput: 'from tool', finalFromTool: true }),
    outcome('handoff', { ...acted, response: { ...response, handoff: handoffTo('other') } }),
    outcome('refusal', { response: responseOf([], { final: undefined, refusal: 'no' }) }),
    outcome('invalid', { response: responseOf([], { final: { invalid: 'no JSON' } }) }),
    outcome('failed', { response, results: {}, failure: failureOf('toolCall') }),
    outcome('suspended', { response, results: {} }),
  ];
  const more = [outcome('again', acted), outcome('empty', { response: responseOf([], { items: [], final: undefined }) })];
  // The other ends of a turn have nothing to do with what is switched on.
  if (isSteered(context)) return [failures[0]!, ends[0]!, ...(context.facts.stuckDetection ? [] : [ends[1]!]), ...(input.turn < turns ? [more[0]!] : [])];
  return [...failures, ...stops, ...ends, ...(input.turn < turns ? more : [more[1]!].filter(() => input.turn < turns + 1))];
}

const interruptedTurn = [
  outcome('interrupted'),
  outcome('interrupted', { response: responseOf([call]), results: { 0: resultOf(call, { status: 'aborted' }) } }),
];

const saves = ({ input }: Leaf) => [ok({ saved: (input as { items: unknown[] }).items.length }), trouble('session')];

const screenings = ({ input }: Leaf) => {
  const { inputs: seen } = input as ScreenInput; // what the chart asks with
  const ids = seen.map(({ id }) => id);
  const verdict = (trips: boolean) => ok({ ids, verdicts: ids.map((id) => ({ id, name: 'polite', tripwireTriggered: trips, outputInfo: 'rude' })) });
  return [verdict(false), verdict(true), trouble('guardrailExecution')];
};

/** To a nested run of the turn at work, and to nobody. */
const steerTo = (path: string) => ({ ...steerOf('elsewhere'), path });

/** What is turned on shows only together with what it is about. */
function steers({ facts, pendingInput, turns, turnAlive }: AgentContext, isScreening: boolean): AnyEventObject[] {
  const may = turns < TURNS && pendingInput.length < 1;
  return [
    ...(may ? [steerOf('s1')] : []),
    ...(isScreening && pendingInput.length < 2 && pendingInput[0]?.id !== 's2' && turns < TURNS ? [steerOf('s2')] : []),
    ...(may && (facts.stopHooks || facts.screensInput) ? [{ type: 'mail', input: steerOf('m1').input }] : []),
    ...(facts.errorHandlers.length > 0 ? [steerTo(turnAlive ? `${facts.path}/turn.${turns}/toolCall.1.0/run` : 'run/agent.9'), steerTo(facts.path)].slice(0, may ? 2 : 1) : []),
  ];
}

/** What guards and effects can tell apart; of the conversation that is its length, and of a turn how it ended. */
function keyOf({ value, context }: SnapshotFrom<typeof agentMachine>, leaves: readonly Leaf[]) {
  const { conversation, last, final, carried: kept, conclusion, ...rest } = context;
  const { history, generated, unsaved, server, shortening } = conversation;
  const { next, finalFromTool, response } = last ?? {};
  return {
    value,
    rest,
    children: leaves.map(({ id }) => id),
    lengths: [history.length, generated.length, unsaved.length],
    server,
    shortening: shortening && [shortening.size, shortening.count, shortening.asked, shortening.again],
    last: [next, finalFromTool, response?.guardsOutput, response?.endsAgent, response?.calls.length],
    final: final && [final.how, final.endsAgent],
    carried: kept && [kept.saved, Object.keys(kept.results)],
    conclusion: conclusion && [conclusion.status, conclusion.failure?.code],
  };
}

const walk = explore({
  machine: agentMachine,
  inputs,
  eventsFor: (snapshot, leaves) => {
    const { context } = snapshot;
    const stopping = snapshot.matches({ running: 'stopping' });
    const waits = snapshot.matches('awaitingApproval');
    const turnAlive = leaves.some(({ src }) => src === 'turn');
    const commands: AnyEventObject[] = [
      { type: 'softStop' }, { type: 'withdraw' }, { type: 'configure', maxTurns: 1 }, { type: 'configure' },
      { type: 'interrupt', reason: 'user', at: AT }, { type: 'interrupt', reason: 'user', at: AT, notice: false },
      // After an interrupt the guardrails are gone: nobody opens the gate any more.
      ...(context.gateOpen || context.interrupt ? [] : [{ type: 'gate.open' }, { type: 'interrupt', reason: 'tripwire', at: AT }]),
      ...steers(context, snapshot.matches({ running: 'screeningInput' })),
      ...(isCuttable(context) && context.pendingInput.length < 1 && context.turns < TURNS ? [{ ...steerOf('s1'), mode: 'instant', cut: {} }] : []),
      ...(context.facts.compaction && (context.conversation.shortening?.count ?? 0) < 1 && !context.conversation.shortening?.asked ? [{ type: 'compact' }] : []),
    ];
    return [
      ...commands,
      ...(turnAlive && !stopping && context.gateOpen ? [{ type: waits ? 'child.goes' : 'child.waits', id: 'any' }] : []),
      ...completions(waits ? [] : leaves, {
        session: saves,
        errorHandler: [
          ok(null),
          ok({ finalOutput: 'instead', includeInHistory: true }),
          ok({ finalOutput: { instead: 1 }, includeInHistory: false, endsAgent: true }),
          ok({ finalOutput: 'instead', includeInHistory: true, guardsOutput: true }),
          trouble(),
        ],
        outputGuardrail: [ok({ failure: null }), ok({ failure: failureOf('outputGuardrail'), withheld: 'hidden' }), trouble('guardrailExecution')],
        agentEnd: [ok(null), trouble()],
        inputScreen: screenings,
        stopHook: [ok({ objections: [] }), trouble(), ...(context.turns < turnsOf(context) ? [ok({ objections: [{ hook: 'tests pass', text: 'run the tests' }, { hook: 'lint', text: 'lint' }] })] : [])],
        compactor: [ok({ item: compactionItem('so far', [asked('hello')]), dropped: 0, usage: NO_USAGE }), trouble('compaction')],
        turn: ({ input }) => (stopping ? interruptedTurn : turnOutcomes(input as TurnInput, context)), // what the agent spawns turns with
      }),
      ...crashes(leaves, BUG),
    ];
  },
  key: keyOf,
  isTrouble: (output, { src }) => (src === 'turn' ? (output as TurnOutcome).next === 'failed' : (output as { status: string }).status === 'error'),
  isWaiting: (snapshot, { src }) => src === 'turn' && (snapshot.matches('awaitingApproval') || snapshot.matches({ running: 'stopping' }) || !snapshot.context.gateOpen),
  // The save of what is concluded is the one effect that an interrupt does not cut.
  windingDown: (snapshot) => snapshot.matches({ running: 'stopping' }) || (snapshot.matches({ running: 'saving' }) && snapshot.context.conclusion !== null),
  mayFail: (error) => error === BUG,
});

const ended = walk.states.filter(({ snapshot }) => snapshot.status === 'done').map(({ snapshot }) => snapshot);

everyConfiguration('agent', { rule: 'A3', walk, moreThan: 500 });

describe('on every way through the agent chart', () => {
  const startsOf = (src: string) => walk.edges.filter(({ effects }) => effects.some((effect) => effect.kind === 'spawn' && effect.src === src));

  test('B1: no turn starts beyond the limit', () => {
    const turns = walk.edges.flatMap((edge) => edge.effects.flatMap((effect) => (effect.kind === 'spawn' && effect.src === 'turn' ? [{ edge, input: effect.input as TurnInput }] : [])));
    expect(turns.length).toBeGreaterThan(0);
    for (const { edge, input } of turns) {
      const { maxTurns } = walk.states[edge.to]!.snapshot.context;
      if (maxTurns !== null) expect(input.turn).toBeLessThanOrEqual(maxTurns + (input.isFinal ? 1 : 0));
    }
  });

  test('B1: a turn whose request was never sent does not count', () => {
    const unsent = walk.edges.filter(({ event }) => event.output?.failure?.sent === false);
    expect(unsent.length).toBeGreaterThan(0);
    for (const { from, to } of unsent) expect(walk.states[to]!.snapshot.context.turns).toBe(walk.states[from]!.snapshot.context.turns - 1);
  });

  test('B4: a final output is not turned into a failure by a limit', () => {
    const limited = walk.edges.filter(({ from, event }) => event.output?.next === 'final' && walk.states[from]!.snapshot.context.maxTurns === 1);
    expect(limited.length).toBeGreaterThan(0);
    for (const { to } of limited) expect(walk.states[to]!.snapshot.context.conclusion?.failure?.code).not.toBe('maxTurns');
  });

  test('A5: the third response in a row without text, refusal or call ends the run', () => {
    const stuck = ended.filter(({ output }) => output!.failure?.code === 'stuck.empty');
    expect(stuck.length).toBeGreaterThan(0);
    for (const { output } of stuck) expect(output!.emptyStreak).toBe(3);
    for (const { snapshot } of walk.states) if (snapshot.context.turnAlive) expect(snapshot.context.emptyStreak).toBeLessThan(3);
  });

  test('L3: a steer is in the conversation or comes back, whatever the end', () => {
    const isFor = ({ type, path }: AnyEventObject) => type === 'steer' && (path === undefined || path === 'run/agent.1');
    const steered = walk.states.filter((state) => state.snapshot.status === 'done' && !state.snapshot.context.facts.screensInput && walk.pathTo(state).some((event) => isFor(event) && event['input'][0].id === 's1'));
    expect(steered.length).toBeGreaterThan(0);
    for (const { snapshot } of steered) {
      const { history, generated, undelivered } = snapshot.output!;
      const places = [...history, ...generated.map(({ rawItem }) => rawItem), ...undelivered.map(({ item }) => item)].filter((item) => JSON.stringify(item) === JSON.stringify(asked('s1')));
      expect(places.length).toBeGreaterThan(0);
    }
  });

  test('A3, L3: input that came during the last model call or the output guardrails reopens the loop, if a turn may follow', () => {
    const decided = walk.edges.filter(({ from, event }) => {
      const { context } = walk.states[from]!.snapshot;
      const isLast = event.output?.next === 'final' || (event.type === 'xstate.done.actor.outputGuardrail' && event.output.value?.failure === null);
      const isTriedAgain = context.conversation.shortening?.again !== undefined; // it is let beyond the limit, the next one is not
      return isLast && reopens(context) && !isTriedAgain && !context.facts.screensInput && !context.interrupt;
    });
    expect(new Set(decided.map(({ event }) => event.type.split('.')[3]))).toEqual(new Set(['turn', 'outputGuardrail']));
    for (const { to } of decided) {
      const { context, value } = walk.states[to]!.snapshot;
      if (context.facts.compaction?.limit === 10) continue; // first it is summed up what there is
      // With a session, what the turn brought is saved before the next one starts.
      expect(value).toEqual({ running: context.facts.session && context.conversation.unsaved.length > 0 && !context.turnAlive ? 'saving' : 'turning' });
      expect([context.final, context.conclusion]).toEqual([null, null]);
    }
  });

  test('E6: what joins has passed the guardrails, once; what they trip on is dropped', () => {
    const screened = walk.edges.filter(({ event }) => event.type === 'xstate.done.actor.inputScreen' && event.output.status === 'ok');
    const tripped = screened.filter(({ event }) => event.output.value.verdicts[0].tripwireTriggered);
    expect([tripped.length > 0, screened.length > tripped.length]).toEqual([true, true]);
    for (const { event, to, effects } of tripped) {
      const { ids } = event.output.value;
      expect(effects.flatMap((effect) => (effect.kind === 'emit' && effect.event.type === 'input.dropped' ? effect.event['ids'] : []))).toEqual(ids);
      expect(walk.states[to]!.snapshot.context.pendingInput.filter(({ id }) => ids.includes(id))).toEqual([]);
    }
    const asked = startsOf('inputScreen').flatMap(({ effects }) => effects.flatMap((effect) => (effect.kind === 'spawn' && effect.src === 'inputScreen' ? [effect.input as ScreenInput] : [])));
    for (const { inputs: seen } of asked) expect(seen.every(({ origin }) => typeof origin !== 'object')).toBe(true);
  });

  test('E6: of a run that is gone on with, a trip on what was added to its state is the end', () => {
    const staged = ended.filter(({ output }) => output!.failure?.code === 'inputGuardrail');
    expect(staged.length).toBeGreaterThan(0);
    for (const { output } of staged) expect([output!.failure!.detail, output!.undelivered.some((input) => input.staged)]).toEqual([{ name: 'polite', outputInfo: 'rude' }, false]);
  });

  test('M4: mail that comes when the answer is taken comes back, and reopens nothing', () => {
    const late = walk.edges.filter(({ from, event }) => event.type === 'mail' && walk.states[from]!.snapshot.context.final !== null);
    expect(late.length).toBeGreaterThan(0);
    for (const { from, to } of late) {
      expect(walk.states[to]!.snapshot.value).toEqual(walk.states[from]!.snapshot.value);
      expect(walk.states[to]!.snapshot.context.pendingInput).toEqual(steerOf('m1').input.map((input) => ({ ...input, origin: 'mail' })));
    }
    const kept = ended.filter(({ output }) => output!.status === 'completed' && output!.undelivered.some(({ origin }) => origin === 'mail'));
    expect(kept.length).toBeGreaterThan(0);
  });

  test('M5: an objection leads on, unless a limit forbids it: then it is announced as overruled', () => {
    const objected = walk.edges.filter(({ event }) => event.type === 'xstate.done.actor.stopHook' && event.output.value?.objections.length > 0);
    const overruled = objected.filter(({ effects }) => effects.some((effect) => effect.kind === 'emit' && effect.event['overruled'] === true));
    expect([overruled.length > 0, objected.length > overruled.length]).toEqual([true, true]);
    for (const edge of objected) {
      expect(edge.effects.filter((effect) => effect.kind === 'emit' && effect.event.type === 'stopHook.objected')).toHaveLength(1);
      const { context } = walk.states[edge.to]!.snapshot;
      if (overruled.includes(edge)) expect(context.final).not.toBe(null);
      else expect([context.final, context.conclusion]).toEqual([null, null]);
    }
  });

  test('B1: the last turn without tools is one, and its answer completes the run', () => {
    const answered = ended.filter(({ output }) => output!.how === 'lastTurn');
    expect(answered.length).toBeGreaterThan(0);
    for (const { context } of answered) expect(context.turns).toBe(context.steering.finalTurn);
    expect(ended.some(({ context, output }) => context.steering.finalTurn > 0 && output!.failure?.code === 'maxTurns')).toBe(true);
  });

  test('B3: the first hit is a notice, the next one in the same streak the end', () => {
    const nudges = walk.edges.filter(({ effects }) => effects.some((effect) => effect.kind === 'emit' && effect.event['origins']?.some((origin: { runtime?: string }) => origin.runtime === 'nudge')));
    expect(nudges.length).toBeGreaterThan(0);
    const stuck = ended.filter(({ output }) => output!.failure?.code === 'stuck.repetition');
    expect(stuck.length).toBeGreaterThan(0);
    for (const { output } of stuck) expect(output!.generated.filter(({ origin }) => typeof origin === 'object' && origin.runtime === 'nudge')).toHaveLength(1);
  });

  test('L7: a steer for somebody else is passed on or dropped, and never joins here', () => {
    const others = walk.edges.filter(({ event }) => event.type === 'steer' && event['path'] !== undefined && event['path'] !== 'run/agent.1');
    const passed = others.filter(({ effects }) => effects.some((effect) => effect.kind === 'send' && effect.event.type === 'steer'));
    const dropped = others.filter(({ effects }) => effects.some((effect) => effect.kind === 'emit' && effect.event.type === 'input.dropped' && effect.event['reason'] === 'path'));
    expect([passed.length > 0, dropped.length > 0, passed.length + dropped.length]).toEqual([true, true, others.length]);
    for (const { from, to } of others) expect(walk.states[to]!.snapshot.context.pendingInput).toEqual(walk.states[from]!.snapshot.context.pendingInput);
  });

  test('L2: an instant steer is passed to a turn that is at work, unless a soft stop has been asked for', () => {
    const instant = walk.edges.filter(({ event }) => event.type === 'steer' && event['mode'] === 'instant');
    for (const { from, effects } of instant) {
      const { turnAlive, softStop } = walk.states[from]!.snapshot.context;
      expect(effects.some((effect) => effect.kind === 'send' && effect.event.type === 'cut')).toBe(turnAlive && !softStop);
    }
  });

  test('B1, L2: a turn that was cut does not count, and the next one reads the input under a path of its own', () => {
    const cut = walk.edges.filter(({ from, event }) => event.output?.next === 'cut' && canGoOn({ ...walk.states[from]!.snapshot.context, maxTurns: null }) && !walk.states[from]!.snapshot.context.interrupt);
    expect(cut.length).toBeGreaterThan(0);
    for (const { from, to, effects } of cut) {
      const [before, after] = [walk.states[from]!.snapshot.context, walk.states[to]!.snapshot.context];
      const [next] = effects.flatMap((effect) => (effect.kind === 'spawn' && effect.src === 'turn' ? [effect.input as TurnInput] : []));
      if (after.conclusion || walk.states[to]!.snapshot.matches({ running: 'compacting' })) continue; // a limit was set below what had been done; or the input waits (N2)
      expect([after.turns, after.pendingInput, next!.turn, next!.path]).toEqual([before.turns, [], before.turns, `run/agent.1/turn.${before.turns}.1`]);
      expect(next!.history.toArray()).toContainEqual(before.pendingInput[0]!.item);
    }
  });

  test('J1: after a soft stop no turn starts', () => {
    const asked = startsOf('turn').filter(({ from }) => walk.states[from]!.snapshot.context.softStop);
    expect(asked).toEqual([]);
    expect(ended.some(({ output }) => output!.status === 'stopped')).toBe(true);
  });

  test('J4: after the interrupt nothing is started but the save of what there is', () => {
    const late = walk.edges.filter(({ from }) => walk.states[from]!.snapshot.context.interrupt !== null);
    expect(late.length).toBeGreaterThan(0);
    const started = new Set(late.flatMap(({ effects }) => effects.flatMap((effect) => (effect.kind === 'spawn' ? [effect.src] : []))));
    // An end that was reached before the interrupt stands, and hooks hear of it (B4).
    expect([...started].sort()).toEqual(['agentEnd', 'session']);
    for (const { from, effects } of late) {
      if (effects.some((effect) => effect.kind === 'spawn' && effect.src === 'agentEnd')) expect(walk.states[from]!.snapshot.context.conclusion).toEqual({ status: 'completed' });
    }
  });

  test('G1: nothing is saved while the gate is shut', () => {
    for (const { to } of startsOf('session')) expect(walk.states[to]!.snapshot.context.gateOpen).toBe(true);
  });

  test('G1: a failed save fails the run; the output is on the error', () => {
    const failed = walk.edges.filter(({ event }) => event.type === 'xstate.done.actor.session' && event.output.status === 'error');
    expect(failed.length).toBeGreaterThan(0);
    for (const { from, to } of failed) {
      const before = walk.states[from]!.snapshot.context;
      const { status, output } = walk.states[to]!.snapshot;
      expect(status).toBe('done');
      expect(output!.status).toBe('failed');
      if (before.final && before.conclusion?.status === 'completed') expect(output!.failure!.detail!['output']).toEqual(before.final.output);
    }
  });

  test('E3: an output that trips is neither in the history nor told', () => {
    const tripped = walk.edges.filter(({ event }) => event.type === 'xstate.done.actor.outputGuardrail' && event.output.value?.failure);
    expect(tripped.length).toBeGreaterThan(0);
    for (const { to } of tripped) {
      const { context } = walk.states[to]!.snapshot;
      expect(context.conclusion).toMatchObject({ status: 'failed', failure: { code: 'outputGuardrail' } });
      const [history, generated] = [context.conversation.history.toArray(), context.conversation.generated.toArray()];
      if (context.final!.how === 'terminalTool') expect(history.at(-1)).toMatchObject({ type: 'function_call_result', output: { text: 'hidden' } });
      else if (context.final!.how === 'answered') expect([history.at(-1), generated.at(-1)?.rawItem]).not.toContainEqual(said('secret'));
    }
  });

  const compactions = startsOf('compactor');

  test('N1: what is too long is summed up before the next request, also the first one', () => {
    expect(compactions.length).toBeGreaterThan(0);
    const spawned = walk.edges.flatMap(({ effects, to }) => effects.flatMap((effect) => (effect.kind === 'spawn' && effect.src === 'turn' ? [{ input: effect.input as TurnInput, to }] : [])));
    const limited = spawned.filter(({ to }) => walk.states[to]!.snapshot.context.facts.compaction?.limit === 10);
    expect(limited.length).toBeGreaterThan(0);
    for (const { input } of limited) if (!input.carried) expect(input.history.toArray().some(isOwnCompaction)).toBe(true);
  });

  test('N2: what nobody has answered yet stays as it was, after the item that stands for the rest', () => {
    const done = walk.edges.filter(({ event }) => event.type === 'xstate.done.actor.compactor' && event.output.status === 'ok');
    expect(done.length).toBeGreaterThan(0);
    for (const { to } of done) {
      const [first, ...rest] = walk.states[to]!.snapshot.context.conversation.history.toArray();
      expect(isOwnCompaction(first!)).toBe(true);
      for (const item of rest) expect('role' in item && item.role).toBe('user');
    }
  });

  test('N2, L2: a steer waits while the conversation is summed up', () => {
    const steers = (state: (typeof walk.states)[number]) => walk.pathTo(state).filter(({ type }) => type === 'steer').length;
    const during = walk.states.filter((state) => state.snapshot.matches({ running: 'compacting' }) && state.snapshot.context.pendingInput.length > 0 && steers(state) === 1);
    expect(during.length).toBeGreaterThan(0);
    for (const { snapshot } of during) expect(snapshot.context.conversation.history.toArray()).not.toContainEqual(asked('s1'));
  });

  test('N2: a request that does not fit is sent again once, as the same turn', () => {
    const again = walk.states.filter(({ snapshot }) => snapshot.context.conversation.shortening?.again !== undefined && snapshot.context.turnAlive);
    expect(again.length).toBeGreaterThan(0);
    for (const { snapshot } of again) expect(snapshot.context.conversation.shortening!.again).toBe(2);
    const failed = ended.filter(({ output }) => output!.failure?.code === 'contextWindow');
    expect(failed.length).toBeGreaterThan(0);
    for (const { context } of failed) if (context.facts.compaction?.limit === 1_000_000) expect(context.conversation.shortening!.count).toBeGreaterThan(0);
  });

  test('J4, N2: an interrupt during a compaction ends at once, and what was there is there', () => {
    const cut = walk.edges.filter(({ from, event }) => walk.states[from]!.snapshot.matches({ running: 'compacting' }) && event.type === 'interrupt');
    expect(cut.length).toBeGreaterThan(0);
    for (const { from, to } of cut) {
      const [before, after] = [from, to].map((at) => walk.states[at]!.snapshot.context.conversation.history.toArray());
      expect(after!.slice(0, before!.length)).toEqual(before);
      expect(walk.states[to]!.snapshot.context.conclusion?.status).toBe('interrupted');
    }
  });

  test('K5: a turn that failed after its response is carried on, with the results it has', () => {
    const failed = ended.filter(({ output }) => output!.failure?.code === 'toolCall');
    expect(failed.length).toBeGreaterThan(0);
    for (const { output } of failed) expect(output!.carried!.response.calls).toHaveLength(1);
  });
});
