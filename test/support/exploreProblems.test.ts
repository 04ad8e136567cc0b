import { describe, expect, test } from 'vitest';
import { type SnapshotFrom, assign, fromPromise, sendTo, setup, spawnChild } from 'xstate';
import { completions, crashes, explore, type Leaf } from './explore.ts';

describe('what is wrong with a chart is found', () => {
  const leaf = fromPromise<unknown>(() => new Promise(() => {}));

  test('a guard that can never be true leaves its transition untaken', () => {
    const machine = setup({ guards: { impossible: () => false } }).createMachine({
      id: 'm',
      initial: 'a',
      states: { a: { on: { GO: [{ guard: 'impossible', target: 'a' }, { target: 'b' }] } }, b: { type: 'final' } },
    });
    const walk = explore({ machine, inputs: [undefined], eventsFor: () => [{ type: 'GO' }] });
    expect(walk.neverTaken).toEqual(['m.a GO #0 [impossible]']);
    expect(walk.coverage).toBe(50);
  });

  test('a state that nothing leaves is stuck; one that only goes in circles is trapped', () => {
    const machine = setup({}).createMachine({
      id: 'm',
      initial: 'start',
      states: { start: { on: { HALT: 'dead', LOOP: 'round', END: 'end' } }, dead: {}, round: { on: { LOOP: 'about' } }, about: { on: { LOOP: 'round' } }, end: { type: 'final' } },
    });
    const walk = explore({ machine, inputs: [undefined], eventsFor: () => [{ type: 'HALT' }, { type: 'LOOP' }, { type: 'END' }] });
    expect(walk.problems).toEqual(['stuck: "dead" after HALT', 'trapped: "round" after LOOP', 'trapped: "about" after LOOP → LOOP']);
  });

  test('a busy state without onError or interrupt lacks those ways out', () => {
    const machine = setup({ actors: { leaf } }).createMachine({
      id: 'm',
      initial: 'busy',
      states: { busy: { invoke: { id: 'leaf', src: 'leaf', onDone: 'end' } }, end: { type: 'final' } },
    });
    const eventsFor = (_: unknown, leaves: readonly Leaf[]) => [...completions(leaves, { leaf: [{ status: 'ok' }] }), ...crashes(leaves, 'bug'), { type: 'interrupt' }];
    const walk = explore({ machine, inputs: [undefined], eventsFor });
    expect(walk.noWayOut.map(({ leaf: id, missing }) => [id, missing])).toEqual([['leaf', 'error'], ['leaf', 'interrupt']]);
    expect(walk.failed.map(({ snapshot }) => snapshot.error)).toEqual(['bug']);
    expect(explore({ machine, inputs: [undefined], eventsFor, mayFail: (error) => error === 'bug' }).failed).toEqual([]);
  });

  test('an end that the chart drops is no way out, and the leaf does not end twice', () => {
    const machine = setup({ actors: { leaf } }).createMachine({ id: 'm', invoke: { id: 'leaf', src: 'leaf' } });
    const walk = explore({ machine, inputs: [undefined], eventsFor: (_, leaves) => completions(leaves, { leaf: [{ status: 'ok' }] }) });
    expect(walk.states.map(({ leaves, finished }) => [leaves.length, finished.length])).toEqual([[1, 0], [0, 1]]);
    expect(walk.noWayOut.map(({ missing }) => missing)).toEqual(['success', 'error', 'interrupt']);
    expect(walk.stuck.map(({ index }) => index)).toEqual([1]);
  });

  test('a child that waits has to go on before it can end: its ends are no ways out', () => {
    const machine = setup({ actors: { leaf } }).createMachine({
      id: 'm',
      invoke: { id: 'leaf', src: 'leaf' },
      initial: 'waiting',
      states: {
        waiting: { on: { GO: 'going', interrupt: 'end' } },
        going: { on: { 'xstate.done.actor.leaf': 'end', 'xstate.error.actor.leaf': 'end', interrupt: 'end' } },
        end: { type: 'final' },
      },
    });
    const options = {
      machine,
      inputs: [undefined],
      eventsFor: (snapshot: SnapshotFrom<typeof machine>, leaves: readonly Leaf[]) => [
        { type: 'interrupt' },
        ...(snapshot.matches('waiting') ? [{ type: 'GO' }] : [...completions(leaves, { leaf: [1] }), ...crashes(leaves)]),
      ],
    };
    expect(explore(options).noWayOut.map(({ missing }) => missing)).toEqual(['success', 'error']);
    expect(explore({ ...options, isWaiting: (snapshot) => snapshot.matches('waiting') }).problems).toEqual([]);
  });

  test('a child that may linger is told to, and only that one', () => {
    const machine = setup({ actors: { leaf } }).createMachine({
      id: 'm',
      entry: spawnChild('leaf', { id: 'leaf' }),
      initial: 'busy',
      states: { busy: { on: { 'xstate.done.actor.leaf': 'kept', 'xstate.error.actor.leaf': 'end', interrupt: 'end' } }, kept: { on: { interrupt: 'end' } }, end: { type: 'final' } },
    });
    const eventsFor = (_: unknown, leaves: readonly Leaf[]) => [{ type: 'interrupt' }, ...completions(leaves, { leaf: [1] }), ...crashes(leaves)];
    const lingeringWith = (mayLinger?: (child: string) => boolean) => explore({ machine, inputs: [undefined], eventsFor, mayLinger }).lingering.length;
    expect([lingeringWith(), lingeringWith((child) => child === 'leaf'), lingeringWith((child) => child === 'other')]).toEqual([1, 0, 1]);
  });

  test('a child that is spawned inside an assign is among the effects, once', () => {
    const machine = setup({ types: {} as { context: { count: number } }, actors: { leaf } }).createMachine({
      id: 'm',
      context: { count: 0 },
      on: { GO: { actions: assign(({ context, spawn }) => (spawn('leaf', { id: `leaf.${context.count}`, input: context.count }), { count: context.count + 1 })) } },
    });
    const walk = explore({ machine, inputs: [undefined], eventsFor: ({ context }) => (context.count < 2 ? [{ type: 'GO' }] : []), goal: ({ context }) => context.count === 2 });
    expect(walk.edges.map(({ effects }) => effects)).toEqual([
      [{ kind: 'spawn', id: 'leaf.0', src: 'leaf', input: 0 }],
      [{ kind: 'spawn', id: 'leaf.1', src: 'leaf', input: 1 }],
    ]);
  });

  test('winding down needs no second interrupt', () => {
    const machine = setup({ actors: { leaf } }).createMachine({
      id: 'm',
      initial: 'stopping',
      states: { stopping: { invoke: { id: 'leaf', src: 'leaf', onDone: 'end', onError: 'end' } }, end: { type: 'final' } },
    });
    const walk = explore({ machine, inputs: [undefined], eventsFor: (_, leaves) => [...completions(leaves, { leaf: [1] }), ...crashes(leaves)] });
    expect(walk.problems).toEqual([]);
  });

  test('what counts as the trouble of a leaf is up to the test, and findings that are alike are told once', () => {
    const machine = setup({ types: {} as { context: { tries: number }; input: number }, actors: { leaf } }).createMachine({
      id: 'm',
      context: ({ input }) => ({ tries: input }),
      initial: 'busy',
      states: { busy: { invoke: { id: 'leaf', src: 'leaf', onDone: 'end' }, on: { interrupt: 'end' } }, end: { type: 'final' } },
    });
    const eventsFor = (_: unknown, leaves: readonly Leaf[]) => [...completions(leaves, { leaf: [{ failure: null }, { failure: 'x' }] }), { type: 'interrupt' }];
    expect(explore({ machine, inputs: [1, 2, 3], eventsFor }).problems).toEqual(['no way out on error of leaf: "busy" at the start (and 2 alike)']);
    expect(explore({ machine, inputs: [1, 2, 3], eventsFor, isTrouble: (output) => (output as { failure: unknown }).failure !== null }).problems).toEqual([]);
  });

  test('a guard that throws is a finding, with the way to it', () => {
    const explode = () => {
      throw new Error('boom');
    };
    const machine = setup({ guards: { explode } }).createMachine({
      id: 'm',
      initial: 'a',
      states: { a: { on: { GO: 'b' } }, b: { on: { GO: { guard: 'explode', target: 'a' }, END: 'c' } }, c: { type: 'final' } },
    });
    const walk = explore({ machine, inputs: [undefined], eventsFor: () => [{ type: 'GO' }, { type: 'END' }] });
    expect(walk.thrown).toHaveLength(1);
    expect(walk.problems[0]).toMatch(/^thrown: .*boom.* on GO in "b" after GO$/s);
  });

  test('a message to a child that is not there is a finding', () => {
    const machine = setup({}).createMachine({ id: 'm', on: { GO: { actions: sendTo('nobody', { type: 'HI' }) } } });
    const walk = explore({ machine, inputs: [undefined], eventsFor: () => [{ type: 'GO' }] });
    expect(String(walk.thrown[0]!.error)).toContain("'nobody'");
  });

  test('a context that is not JSON is refused, with its path', () => {
    const machine = setup({ types: {} as { context: { seen: Map<string, string> } } }).createMachine({ id: 'm', context: { seen: new Map() } });
    expect(() => explore({ machine, inputs: [undefined], eventsFor: () => [] })).toThrow('m.context.seen is a Map');
  });

  test('a leaf for which no outputs were given is refused', () => {
    const machine = setup({ actors: { leaf } }).createMachine({ id: 'm', invoke: { id: 'model', src: 'leaf' } });
    expect(() => explore({ machine, inputs: [undefined], eventsFor: (_, leaves) => completions(leaves, {}) })).toThrow('the leaf "model" of slot "leaf"');
  });
});
