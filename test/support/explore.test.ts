import { describe, expect, test } from 'vitest';
import { assign, createActor, emit, fromPromise, sendParent, setup, spawnChild, stopChild, type AnyEventObject, type DoneActorEvent } from 'xstate';
import { canonicalJson, completions, crashes, explore, timeouts, transitionRecorder, transitionsOf, type Leaf } from './explore.ts';

type Answer = { status: 'ok'; value: string } | { status: 'error'; code: string };

const neverRun = fromPromise<Answer, { attempt: number }>(() => {
  throw new Error('a leaf was started');
});

/** Asks, retries once, waits for a person, can be stopped: the shape of our charts in miniature. */
const requestMachine = setup({
  types: {} as { context: { attempt: number }; events: { type: 'interrupt' } },
  actors: { model: neverRun, person: neverRun },
  guards: {
    answered: (_, { status }: { status: string }) => status === 'ok',
    canRetry: ({ context }) => context.attempt < 2,
  },
  actions: { countAttempt: assign({ attempt: ({ context }) => context.attempt + 1 }) },
}).createMachine({
  id: 'request',
  context: { attempt: 1 },
  initial: 'asking',
  states: {
    asking: {
      invoke: {
        id: 'model',
        src: 'model',
        input: ({ context }) => ({ attempt: context.attempt }),
        onDone: [
          { guard: { type: 'answered', params: ({ event }) => event.output }, target: 'awaitingApproval' },
          { guard: 'canRetry', target: 'asking', reenter: true, actions: 'countAttempt' },
          { target: 'settled' },
        ],
        onError: 'settled',
      },
      on: { interrupt: 'interrupted' },
    },
    awaitingApproval: {
      invoke: { id: 'person', src: 'person', input: ({ context }) => ({ attempt: context.attempt }), onDone: 'settled', onError: 'settled' },
      on: { interrupt: 'interrupted' },
    },
    interrupted: { type: 'final' },
    settled: { type: 'final' },
  },
});

const outcomes: Answer[] = [{ status: 'ok', value: 'hi' }, { status: 'error', code: 'busy' }];
const everything = (_: unknown, leaves: readonly Leaf[]): AnyEventObject[] => [
  { type: 'interrupt' },
  ...completions(leaves, { model: outcomes, person: outcomes }),
  ...crashes(leaves),
];

describe('a sound chart', () => {
  const walk = explore({ machine: requestMachine, inputs: [undefined], eventsFor: everything });

  test('every reachable configuration is visited once, and no other', () => {
    expect(walk.states.map(({ snapshot }) => [snapshot.value, snapshot.context.attempt])).toEqual([
      ['asking', 1],
      ['interrupted', 1],
      ['awaitingApproval', 1],
      ['asking', 2],
      ['settled', 1],
      ['interrupted', 2],
      ['awaitingApproval', 2],
      ['settled', 2],
    ]);
    expect(walk.edges).toHaveLength(16);
  });

  test('all its transitions are taken and it has no problem', () => {
    expect(walk.neverTaken).toEqual([]);
    expect(walk.coverage).toBe(100);
    expect(walk.problems).toEqual([]);
    expect(walk.truncated).toBe(false);
  });

  test('a transition is named by node, event, place and guard', () => {
    expect(transitionsOf(requestMachine).map(({ id }) => id)).toEqual([
      'request.asking interrupt #0',
      'request.asking xstate.done.actor.model #0 [answered]',
      'request.asking xstate.done.actor.model #1 [canRetry]',
      'request.asking xstate.done.actor.model #2',
      'request.asking xstate.error.actor.model #0',
      'request.awaitingApproval interrupt #0',
      'request.awaitingApproval xstate.done.actor.person #0',
      'request.awaitingApproval xstate.error.actor.person #0',
    ]);
  });

  test('the path to a state is the shortest list of events that leads there', () => {
    const waiting = walk.states.find(({ snapshot }) => snapshot.matches('awaitingApproval') && snapshot.context.attempt === 2)!;
    expect(walk.pathTo(waiting).map(({ output }) => output)).toEqual([outcomes[1], outcomes[0]]);
  });

  test('a waiting leaf shows its id, its slot and what it was given', () => {
    expect(walk.states[3]!.leaves).toEqual([{ id: 'model', src: 'model', input: { attempt: 2 } }]);
    expect(walk.states[0]!.startEffects).toEqual([{ kind: 'spawn', id: 'model', src: 'model', input: { attempt: 1 } }]);
  });

  test('live actors are recorded under the same names as explored ones', () => {
    const recorder = transitionRecorder();
    const hangs = fromPromise<Answer, { attempt: number }>(() => new Promise(() => {}));
    const actor = createActor(requestMachine.provide({ actors: { model: hangs } }), { inspect: recorder.inspect });
    actor.start().send({ type: 'interrupt' });
    expect([...recorder.taken.get('request')!]).toEqual(['request.asking interrupt #0']);
  });

  test('a bound cuts the walk and says so', () => {
    const cut = explore({ machine: requestMachine, inputs: [undefined], eventsFor: everything, bounds: { depth: 1 } });
    expect(cut.truncated).toBe(true);
    expect(cut.problems).toEqual(['truncated: stopped at 5 states; the rest is unknown']);
  });
});

/** Spawns two calls, collects their results by id, and reports to its parent. */
const callsMachine = (keep: boolean) =>
  setup({
    types: {} as { context: { results: Record<string, string> }; events: { type: 'interrupt' } | DoneActorEvent<string, `call.${string}`> },
    actors: { call: fromPromise<string, string>(() => new Promise(() => {})) },
    actions: {
      collect: assign({ results: ({ context, event }) => ('output' in event ? { ...context.results, [event.actorId]: event.output } : context.results) }),
      tell: sendParent({ type: 'child.goes' }),
    },
    guards: { all: ({ context }) => Object.keys(context.results).length === 2 },
  }).createMachine({
    id: 'calls',
    context: { results: {} },
    initial: 'acting',
    states: {
      acting: {
        entry: [spawnChild('call', { id: 'call.1', input: 'one' }), spawnChild('call', { id: 'call.2', input: 'two' })],
        always: { guard: 'all', target: 'settled', actions: ['tell', emit({ type: 'settled' }), stopChild('call.1')] },
        on: {
          interrupt: 'interrupted',
          'xstate.done.actor.call.*': { actions: keep ? ['collect'] : ['collect', stopChild(({ event }) => event.actorId)] },
        },
      },
      interrupted: { type: 'final' },
      settled: { type: 'final' },
    },
  });

describe('spawned children', () => {
  const outputs = { call: (leaf: Leaf) => [`did ${String(leaf.input)}`] };
  const walkOf = (keep: boolean) =>
    explore({ machine: callsMachine(keep), inputs: [undefined], eventsFor: (_, leaves) => [{ type: 'interrupt' }, ...completions(leaves, outputs)] });

  test('both orders of completion meet in one state, whatever order the keys were written in', () => {
    const walk = walkOf(false);
    expect(walk.states.filter(({ snapshot }) => snapshot.value === 'settled').map(({ snapshot }) => snapshot.context)).toEqual([
      { results: { 'call.1': 'did one', 'call.2': 'did two' } },
    ]);
    expect(walk.states).toHaveLength(7);
    expect(walk.neverTaken).toEqual([]);
    expect(walk.lingering).toEqual([]);
  });

  test('what the chart asks of the world is recorded and not done', () => {
    const last = walkOf(false).edges.findLast(({ taken }) => taken.includes('calls.acting always #0 [all]'))!;
    expect(last.taken).toEqual(['calls.acting xstate.done.actor.call.* #0', 'calls.acting always #0 [all]']);
    expect(last.effects).toEqual([
      { kind: 'stop', id: 'call.1' },
      { kind: 'send', to: 'parent', event: { type: 'child.goes' } },
      { kind: 'emit', event: { type: 'settled' } },
    ]);
  });

  test('a finished child that is kept lingers', () => {
    const [first] = walkOf(true).lingering;
    expect(first!.finished.map(({ id }) => id)).toEqual(['call.1']);
  });
});

test('delays are events like any other', () => {
  const machine = setup({ delays: { soon: 1000 } }).createMachine({
    id: 'm',
    initial: 'waiting',
    states: { waiting: { after: { soon: 'late' }, on: { GO: 'early' } }, late: { type: 'final' }, early: { type: 'final' } },
  });
  const walk = explore({ machine, inputs: [undefined], eventsFor: (snapshot) => [{ type: 'GO' }, ...timeouts(snapshot)] });
  expect(walk.states.map(({ snapshot }) => snapshot.value)).toEqual(['waiting', 'early', 'late']);
  expect(walk.problems).toEqual([]);
});

test('of two parallel regions that answer the same event, the one that is pre-empted counts as not taken', () => {
  const machine = setup({}).createMachine({
    id: 'm',
    initial: 'both',
    states: { both: { type: 'parallel', states: { one: { on: { GO: '#m.first' } }, two: { on: { GO: '#m.second' } } } }, first: { type: 'final' }, second: { type: 'final' } },
  });
  const walk = explore({ machine, inputs: [undefined], eventsFor: () => [{ type: 'GO' }] });
  expect(walk.neverTaken).toEqual(['m.both.two GO #0']);
});

test('a slot that setup does not declare must be named', () => {
  const machine = setup({}).createMachine({ id: 'm', invoke: { id: 'later', src: 'nested' } as never });
  const eventsFor = () => [];
  expect(() => explore({ machine, inputs: [undefined], eventsFor })).toThrow('Name the slot in `slots`');
  expect(explore({ machine, inputs: [undefined], eventsFor, slots: ['nested'] }).states[0]!.leaves).toEqual([{ id: 'later', src: 'nested', input: undefined }]);
});

test('a class that reads as a list counts as that list', () => {
  class Log {
    toJSON = () => [1, { b: 2, a: 1 }];
  }
  expect(canonicalJson({ log: new Log() })).toBe('{"log":[1,{"a":1,"b":2}]}');
});

test('canonical JSON sorts keys, drops what is undefined and refuses what JSON loses', () => {
  expect(canonicalJson({ b: [1, undefined], a: { d: undefined, c: null } })).toBe('{"a":{"c":null},"b":[1,null]}');
  expect(() => canonicalJson({ at: new Date(0) }, 'context')).toThrow('context.at is a Date');
  expect(() => canonicalJson([Number.NaN], 'context')).toThrow('context[0] is NaN');
});
