import { describe, expect, test } from 'vitest';
import type { AnyEventObject } from 'xstate';
import type { Call } from '../../machines/protocol/call.ts';
import type { RunOutcome } from '../../machines/protocol/outcome.ts';
import { type ToolCallInput, toolCallMachine } from '../../machines/toolCall.ts';
import { type BodyEffect, isHarmful } from '../../machines/toolCallMemory.ts';
import { type Leaf, completions, crashes, explore } from '../support/explore.ts';
import { everyConfiguration } from './everyConfiguration.ts';
import { AT, asked, callOf, combinations, ok, resultItem, resultOf, trouble } from './samples.ts';

const BUG = { name: 'Error', message: 'bug' };
const LOST = { status: 'lost', at: AT };
/** What a check found, or a person knows. */
const FOUND = resultOf(callOf(0), { output: 'found' });
const EARLIER = 'run_0/agent.1/turn.1/toolCall.1.0/execute';

const facts = combinations({
  approval: ['never', 'always', 'ask'],
  guardsInput: [false, true],
  guardsOutput: [false, true],
  screensInput: [false, true],
  delegates: [false, true],
} as const);

/** Tools that it is harmful to run twice. */
const harmful = combinations({ effect: ['reconcilable', 'irreversible'], approval: ['never', 'always'], guardsOutput: [false, true] } as const);

/** A person carries them out (D8). */
const QUESTIONS = [{ id: 'when', text: 'When?', schema: { type: 'string' } }];
const asking = combinations({ approval: ['never', 'ask'], guardsInput: [false, true], guardsOutput: [false, true] } as const);

const calls: Call[] = [
  ...asking.map((tool) => callOf(0, tool, { questions: QUESTIONS })),
  ...facts.map((tool) => callOf(0, tool)),
  ...harmful.map((tool) => callOf(0, tool)),
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
  person: ({ id }: Leaf) => saidTo[id as keyof typeof saidTo],
  execute: ({ input }: Leaf) => [...endings, ...(mayBeLost(input as BodyEffect) ? [LEFT_BEHIND, LOST] : []), ...(mayAsk(input as BodyEffect) ? [ASKS] : [])],
  reconcile: [ok({ happened: true, result: FOUND }), ok({ happened: false }), ok({ happened: 'unknown' }), trouble('toolCall')],
};

const decisions = [
  ok({ decision: 'approve' }),
  ok({ decision: 'approve', arguments: '{"place":"Oslo"}' }),
  ok({ decision: 'approve', arguments: '{', invalid: 'no JSON' }),
  ok({ decision: 'reject' }),
  ok({ decision: 'reject', message: 'not now' }),
  ok({ decision: 'reject', message: 'too late', expired: true }),
  ok({ decision: 'useResult', output: 'never asked for' }),
  trouble(),
];

const answers = [
  ok({ decision: 'answer', answers: { when: 'now' } }),
  ok({ decision: 'answer', answers: { when: 'now' }, result: FOUND }),
  ok({ decision: 'reject', message: 'not now' }),
  ok({ decision: 'reject', message: 'too late', expired: true }),
  ok({ decision: 'approve' }),
  trouble(),
];

const resolutions = [
  ok({ decision: 'approve' }),
  ok({ decision: 'useResult', output: 'paid 7' }),
  ok({ decision: 'useResult', output: { paid: 7 }, result: FOUND }),
  ok({ decision: 'reject' }),
  ok({ decision: 'reject', message: 'never mind' }),
  trouble(),
];

const saidTo = { person: decisions, uncertain: resolutions, question: answers };

const LEFT_BEHIND = trouble('toolCall', { detail: { mayHaveCompleted: true } });
const endings = [ok(resultOf(callOf(0))), trouble('toolCall')];

/** A process dies in the first body and in the second; that more of them do brings nothing new. */
const mayBeLost = ({ effectId, call }: BodyEffect) => isHarmful(call) && bodyOf(effectId) < 3;
/** A body that has done nothing wants to be approved first; so may the next one, but that a third does brings nothing new. An agent has no body. */
const ASKS = { status: 'asks', reason: 'it costs 500', at: AT };
const mayAsk = ({ effectId, call }: BodyEffect) => call.tool.delegates !== true && bodyOf(effectId) < 3;
const bodyOf = (effectId: string) => Number(effectId.split('#')[1]);

/** A nested run is interrupted by its call and by nobody else. */
const nestedOutputs = (stopping: boolean) => (stopping ? (['interrupted', 'failed', 'completed'] as const) : (['completed', 'failed', 'stopped'] as const)).map(nestedOutcome);

const PATH = 'run/agent.1/turn.1/toolCall.1.0';
const inputOf = (call: Call): ToolCallInput => ({ path: PATH, agent: 'asker', call, askedAt: 0 });

/** Calls that an earlier run had begun, and of which nobody knew what became of them when it was stopped. */
const uncertain: ToolCallInput[] = [
  ...harmful.map((tool) => ({ ...inputOf(callOf(0, tool)), uncertain: { key: EARLIER } })),
  { ...inputOf(callOf(0, { effect: 'irreversible', guardsInput: true })), uncertain: { key: EARLIER, edited: '{"place":"Oslo"}' } },
];

const walk = explore({
  machine: toolCallMachine,
  inputs: [...calls.map(inputOf), ...uncertain, { ...inputOf(callOf(0, { delegates: true, approval: 'always' })), resumed: nestedOutcome('stopped') }],
  eventsFor: (snapshot, leaves) => [
    { type: 'interrupt', reason: 'user', at: AT },
    { type: 'withdraw' },
    { type: 'softStop' },
    { type: 'steer', input: [{ id: 's1', item: asked('s1') }], path: `${PATH}/run` },
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
  return [{ type: waits ? 'child.goes' : 'child.waits', id: `${PATH}/run` }];
}

everyConfiguration('tool call', { rule: 'C1', walk, moreThan: 400 });

test('L7: a steer reaches the nested run while that is alive, and is dropped else', () => {
  const steers = walk.edges.filter(({ event }) => event.type === 'steer');
  expect(new Set(steers.map(({ effects }) => effects.length))).toEqual(new Set([1]));
  for (const { from, effects: [effect] } of steers) {
    const { nestedAlive } = walk.states[from]!.snapshot.context;
    expect(effect).toMatchObject(nestedAlive ? { kind: 'send', to: 'run', event: { type: 'steer' } } : { kind: 'emit', event: { type: 'input.dropped', ids: ['s1'], reason: 'path' } });
  }
});

const WAITS = ['decision', 'question', 'uncertain'] as const;
const waitsForPerson = (snapshot: (typeof walk.states)[number]['snapshot']) => WAITS.some((awaitingApproval) => snapshot.matches({ awaitingApproval }));

describe('every tool call', () => {
  test('C2: ends with a result or with a failure, never with both; with neither only after a soft stop found it waiting', () => {
    const ends = walk.edges.filter(({ to }) => walk.states[to]!.snapshot.status === 'done');
    expect(ends.length).toBeGreaterThan(0);
    for (const { from, to, event } of ends) {
      const { result, failure, nested } = walk.states[to]!.snapshot.output!;
      const waited = waitsForPerson(walk.states[from]!.snapshot) && event.type === 'softStop';
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
  const spawnsOn = (index: number): { src: string; input: unknown }[] => {
    const { from, startEffects } = walk.states[index]!;
    const edge = from && walk.edges.find((edge) => edge.from === from.state && edge.to === index && edge.event === from.event);
    const spawns = (edge ? edge.effects : startEffects).flatMap((effect) => (effect.kind === 'spawn' ? [effect] : []));
    return from ? [...spawnsOn(from.state), ...spawns] : spawns;
  };
  const startedOn = (index: number) => spawnsOn(index).map(({ src }) => src);
  const inputsOn = (index: number, slot: string) => spawnsOn(index).flatMap(({ src, input }) => (src === slot ? [input as BodyEffect] : []));
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

  test('O3: a body that may have had a harmful effect starts again only after a person said so, or the tool found that nothing had happened', () => {
    const again = bodies.filter(({ from }) => walk.states[from]!.snapshot.context.uncertain || startedOn(from).includes('execute'));
    const asked = ['xstate.done.actor.person', 'xstate.done.actor.inputGuardrail']; // the body had said that it did nothing (D9)
    expect(new Set(again.map(({ event }) => event.type))).toEqual(new Set(['xstate.done.actor.uncertain', 'xstate.done.actor.reconcile', ...asked]));
    for (const { from, event } of again) {
      if (asked.includes(event.type)) {
        expect(walk.states[from]!.snapshot.context.approval).toMatchObject({ reason: 'it costs 500' });
        continue;
      }
      const said = event['output'].value;
      expect(event.type === 'xstate.done.actor.uncertain' ? said.decision : said.happened).toBe(event.type === 'xstate.done.actor.uncertain' ? 'approve' : false);
    }
  });

  test('O3: what became of a lost body is asked of the tool that can tell, and of a person where it cannot or may not', () => {
    const lost = walk.edges.filter(({ event }) => event['output']?.status === 'lost');
    expect(lost.length).toBeGreaterThan(0);
    for (const { from, to } of lost) {
      const { effect } = walk.states[from]!.snapshot.context.call.tool;
      expect(walk.states[to]!.snapshot.value).toEqual(effect === 'reconcilable' ? { running: 'reconciling' } : { awaitingApproval: 'uncertain' });
    }
    const unfound = walk.edges.filter(({ event }) => event.type === 'xstate.done.actor.reconcile' && (event['output'].status === 'error' || event['output'].value.happened === 'unknown'));
    expect(unfound.length).toBeGreaterThan(0);
    for (const { to } of unfound) expect(walk.states[to]!.snapshot.value).toEqual({ awaitingApproval: 'uncertain' });
  });

  test('O3: a call ends with what was found or what a person knows, guarded like any output', () => {
    const known = walk.edges.filter(({ event: { type, output } }) => (type.endsWith('.reconcile') && output?.value?.happened === true) || (type.endsWith('.uncertain') && output?.value?.decision === 'useResult'));
    expect(known.length).toBeGreaterThan(0);
    for (const { from, to, event } of known) {
      const { value, context } = walk.states[to]!.snapshot;
      const { output, result } = event['output'].value;
      expect(value).toEqual(walk.states[from]!.snapshot.context.call.tool.guardsOutput ? { running: 'guardingOutput' } : 'settled');
      expect(context.result).toEqual(result ?? { status: 'completed', item: { ...resultItem('call_0'), output: { type: 'text', text: output } }, output });
    }
  });

  test('P3: the number of a body rises only when it is meant to run again; its key never changes', () => {
    let most = 0;
    for (const state of walk.states) {
      const { uncertain } = state.snapshot.context;
      const [runs, checks] = [inputsOn(state.index, 'execute'), inputsOn(state.index, 'reconcile')];
      const first = uncertain ? 2 : 1; // the first was that of the earlier run
      expect(runs.map(({ effectId }) => effectId)).toEqual(runs.map((_, at) => `${PATH}/execute#${first + at}`));
      for (const { key } of [...runs, ...checks]) expect(key).toBe(uncertain?.key ?? `${PATH}/execute`);
      most = Math.max(most, runs.length);
    }
    expect(most).toBeGreaterThan(2);
  });

  test('J1, O3: stopped while nobody knows what became of it, a call is kept with the key and the arguments by which it began', () => {
    const stopped = walk.edges.filter(({ from, event }) => event.type === 'softStop' && walk.states[from]!.snapshot.matches({ awaitingApproval: 'uncertain' }));
    expect(stopped.length).toBeGreaterThan(0);
    for (const { from, to } of stopped) {
      const { uncertain, call } = walk.states[from]!.snapshot.context;
      const kept = { key: uncertain?.key ?? `${PATH}/execute`, ...(call.edited === undefined ? {} : { edited: call.edited }) };
      expect(walk.states[to]!.snapshot.output).toEqual({ index: 0, result: null, failure: null, uncertain: kept });
    }
  });

  test('O3, K5: a failure that ends the run while a harmful body is left behind, or takes its result away, is kept as a doubt for who goes on', () => {
    const failures = walk.edges.filter(({ to }) => walk.states[to]!.snapshot.output?.failure);
    const doubts = new Set<string>();
    for (const { from, to, event } of failures) {
      const { context, value } = walk.states[from]!.snapshot;
      const mayHaveRun = event['output'] === LEFT_BEHIND || JSON.stringify(value).match(/guardingOutput|uncertain/) !== null;
      const inDoubt = isHarmful(context.call) && mayHaveRun;
      if (inDoubt) doubts.add(JSON.stringify(value));
      expect(walk.states[to]!.snapshot.output!.uncertain !== undefined).toBe(inDoubt);
    }
    expect(doubts.size).toBe(3);
  });

  test('O3: a call that is given up says that it may have completed, in the words of the person or in general ones', () => {
    const givenUp = walk.edges.filter(({ event }) => event.type === 'xstate.done.actor.uncertain' && event['output']?.value?.decision === 'reject');
    const texts = givenUp.map(({ to }) => walk.states[to]!.snapshot.output!.result!);
    expect(new Set(texts.map(({ output }) => output))).toEqual(new Set(['The process ended while the tool was at work. It may have completed; do not repeat it without checking.', 'never mind']));
    for (const result of texts) expect(result).toMatchObject({ status: 'failed', mayHaveCompleted: true });
  });

  test('D8: a call that asks is carried out by a person alone: its result is what was answered, guarded like any output, or that nobody answered', () => {
    const ends = walk.edges.filter(({ event }) => event.type === 'xstate.done.actor.question');
    expect(new Set(ends.map(({ event }) => event['output'].value?.decision))).toEqual(new Set(['answer', 'reject', 'approve', undefined]));
    for (const { from, to, event } of ends) {
      const { value, context } = walk.states[to]!.snapshot;
      const said = event['output'].value;
      const isGuarded = said?.decision === 'answer' && context.call.tool.guardsOutput === true;
      expect(value).toEqual(isGuarded ? { running: 'guardingOutput' } : 'settled');
      expect(startedOn(from)).not.toContain('execute');
      if (said?.decision === 'answer') expect(context.result).toEqual(said.result ?? { status: 'completed', item: { ...resultItem('call_0'), output: { type: 'text', text: '{"when":"now"}' } }, output: '{"when":"now"}' });
      else if (said) expect(context.result).toMatchObject({ status: 'rejected', output: said.message ?? 'Tool execution was not approved.' });
    }
    expect(bodies.filter(({ from }) => walk.states[from]!.snapshot.context.call.questions)).toEqual([]);
  });

  test('D9: a body that asks is run again only when a person said yes, as another execution, and knows what was said', () => {
    const asks = walk.edges.filter(({ event }) => event['output'] === ASKS);
    expect(asks.length).toBeGreaterThan(0);
    for (const { from, to } of asks) {
      const { context, value } = walk.states[to]!.snapshot;
      expect(value).toEqual({ awaitingApproval: 'decision' });
      expect([context.bodies, context.approval]).toEqual([walk.states[from]!.snapshot.context.bodies + 1, { reason: 'it costs 500' }]);
      expect(inputsOn(to, 'person').at(-1)).toMatchObject({ effectId: `${PATH}/approval#${1 + context.asks!}`, reason: 'it costs 500' });
    }
    const again = bodies.filter(({ from }) => walk.states[from]!.snapshot.context.approval);
    expect(again.length).toBeGreaterThan(0);
    for (const { from, to, event } of again) {
      const { call, approval } = walk.states[to]!.snapshot.context;
      const way = [...walk.pathTo(walk.states[from]!), event];
      const [lastAsked, lastApproved] = [way.findLastIndex(({ output }) => output === ASKS), way.findLastIndex(({ output }) => output?.value?.decision === 'approve' && output.value.invalid === undefined)];
      expect(lastApproved).toBeGreaterThan(lastAsked);
      expect(inputsOn(to, 'execute').at(-1)?.approval).toEqual(approval);
      if (approval?.approvedArguments !== undefined) expect(call.edited).toBe(approval.approvedArguments);
    }
  });

  test('D7: what nobody decided in time is resolved as expired, and the call is rejected with the reason', () => {
    const late = walk.edges.filter(({ event }) => event['output']?.value?.expired);
    expect(late.length).toBeGreaterThan(0);
    for (const { to, effects } of late) {
      expect(effects.flatMap((effect) => (effect.kind === 'emit' && effect.event.type === 'approval.resolved' ? [effect.event['decision']] : []))).toEqual(['expired']);
      expect(walk.states[to]!.snapshot.output!.result).toMatchObject({ status: 'rejected', output: 'too late' });
    }
  });

  test('E4: a body starts only after the input guardrails looked, where there are some', () => {
    for (const edge of bodies) {
      const { call, uncertain } = walk.states[edge.from]!.snapshot.context;
      if (uncertain) continue; // they looked before it was first run
      if (call.tool.guardsInput) expect(startedOn(edge.from)).toContain('toolGuardrail');
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

  test('J2, C8: an interrupted call says after how long it was cut, and, when its body may have had a harmful effect, that it may have completed', () => {
    const cut = walk.edges.filter(({ from, to }) => walk.states[to]!.snapshot.matches('interrupted') && !walk.states[from]!.snapshot.matches({ running: 'stopping' }));
    const begun = ['executing', 'reconciling', 'guardingOutput'].map((running) => ({ running }));
    const doubts = new Set<string>();
    for (const { from, to } of cut) {
      const { context, value, matches } = walk.states[from]!.snapshot;
      const isAt = (states: object[]) => states.some((state) => matches.call(walk.states[from]!.snapshot, state as never));
      const hasAsked = context.approval !== undefined && isAt([{ awaitingApproval: 'decision' }, { running: 'guardingInput' }]); // its last body did nothing (D9)
      const mayHaveRun = !hasAsked && (context.uncertain !== undefined || isAt([...begun, { awaitingApproval: 'uncertain' }]));
      const { result } = walk.states[to]!.snapshot.output!;
      const isDoubtful = isHarmful(context.call) && mayHaveRun;
      if (isDoubtful) doubts.add(JSON.stringify(value));
      const doubt = isDoubtful ? { mayHaveCompleted: true } : {};
      const text = `aborted by user after 1.0s${isDoubtful ? '. It may have completed; do not repeat it without checking.' : ''}`;
      expect(result).toEqual({ status: 'aborted', item: { ...resultItem('call_0'), status: 'incomplete', output: { type: 'text', text } }, output: text, ...doubt });
    }
    expect([...doubts].sort()).toEqual([...begun, { awaitingApproval: 'uncertain' }].map((value) => JSON.stringify(value)).sort());
  });

  test('I2: each call says once that it ends, and each request for approval is resolved', () => {
    const emittedOn = (type: string) => (edge: { effects: (typeof walk.edges)[number]['effects'] }) =>
      edge.effects.filter((effect) => effect.kind === 'emit' && effect.event.type === type).length;
    for (const edge of walk.edges) {
      const ends = walk.states[edge.to]!.snapshot.status === 'done';
      expect(emittedOn('call.settled')(edge)).toBe(ends ? 1 : 0);
      // A withdrawal goes ahead of every interrupt, so that approvals are resolved before items end (J2).
      const answers = ['withdraw', 'xstate.done.actor.person', 'xstate.done.actor.question', 'xstate.done.actor.uncertain'];
      const resolves = waitsForPerson(walk.states[edge.from]!.snapshot) && answers.includes(edge.event.type);
      expect(emittedOn('approval.resolved')(edge)).toBe(resolves ? 1 : 0);
    }
  });
});
