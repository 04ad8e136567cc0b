import { describe, expect, test } from 'vitest';
import { createMachine } from 'xstate';
import { chartOf, endingsOf, statesOf } from 'loopchart/visualizations';
import { courierMachine, lampMachine, parcelMachine } from './parcel.ts';

const parcel = chartOf(parcelMachine);
const stateOf = (id: string) => statesOf(parcel).find((state) => state.id === id);
const transitionsOf = (source: string) =>
  parcel.transitions.filter((transition) => transition.source === source).map(({ kind, label, guard, actions, targets }) => ({ kind, label, guard, actions, targets }));

describe('chartOf', () => {
  test('reads a whole machine into plain JSON', () => {
    const chart = chartOf(lampMachine);
    const plain = { tags: [], entry: [], exit: [], invokes: [], spawns: [], spawned: [], states: [] };
    const press = { kind: 'event', event: 'press', label: 'press' };
    expect(chart).toEqual({
      id: 'lamp',
      version: '1',
      description: 'A lamp.',
      root: {
        ...plain,
        id: 'lamp',
        key: 'lamp',
        type: 'compound',
        description: 'A lamp.',
        initial: 'lamp.off',
        states: [
          { ...plain, id: 'lamp.off', key: 'off', type: 'atomic' },
          { ...plain, id: 'lamp.on', key: 'on', type: 'atomic', tags: ['bright'] },
        ],
      },
      transitions: [
        { ...press, id: 'lamp.off/press/1', source: 'lamp.off', guard: 'hasPower', actions: ['click'], targets: ['lamp.on'], internal: false, order: 1, of: 2 },
        { ...press, id: 'lamp.off/press/2', source: 'lamp.off', actions: ['click'], targets: [], internal: true, order: 2, of: 2 },
        { ...press, id: 'lamp.on/press/1', source: 'lamp.on', actions: [], targets: ['lamp.off'], internal: false, order: 1, of: 1 },
      ],
    });
    expect(JSON.parse(JSON.stringify(chart))).toEqual(chart);
  });

  test('names what XState folds away: done, error, after, always, and the parameters written in the chart', () => {
    expect(transitionsOf('parcel.running.weighing')).toEqual([
      { kind: 'onDone', label: 'balance done', guard: 'fits(limit: 30)', actions: ['weigh', 'wave'], targets: ['parcel.running.carrying'] },
      {
        kind: 'onDone',
        label: 'balance done',
        guard: 'isHeavy and not isFragile and (isFragile or in running.carrying)',
        actions: [],
        targets: ['parcel.awaitingApproval'],
      },
      { kind: 'onDone', label: 'balance done', guard: undefined, actions: [], targets: ['parcel.handoff'] },
      { kind: 'onError', label: 'balance error', guard: undefined, actions: [], targets: ['parcel.settled'] },
      { kind: 'after', label: 'after 250 ms', guard: undefined, actions: [], targets: ['parcel.settled'] },
      { kind: 'after', label: 'after patience', guard: undefined, actions: [], targets: ['parcel.running.resting'] },
    ]);
    expect(transitionsOf('parcel.running.resting')[0]).toEqual({ kind: 'always', label: 'always', guard: 'not isHeavy', actions: [], targets: ['parcel.running.weighing'] });
    expect(transitionsOf('parcel.running.carrying')).toEqual([{ kind: 'onDone', label: 'done inside', guard: undefined, actions: [], targets: ['parcel.running.closing'] }]);
    expect(transitionsOf('parcel.awaitingApproval').map(({ label }) => label)).toEqual(['person.says', 'any event']);
  });

  test('shows entry and exit without the timers that XState puts there', () => {
    expect(stateOf('parcel.running.weighing')).toMatchObject({ entry: ['weigh'], exit: ['wave', 'note(text: "left")'], invokes: [{ id: 'balance', src: 'scale' }] });
  });

  test('says that an inline function has no name', () => {
    expect(transitionsOf('parcel.running.closing')).toEqual([{ kind: 'always', label: 'always', guard: '(inline)', actions: ['(inline)'], targets: ['parcel.settled'] }]);
  });

  test('a transition is internal when its source is not left', () => {
    const internal = parcel.transitions.filter((transition) => transition.internal).map(({ id }) => id);
    expect(internal).toEqual([
      'parcel/interrupt/1',
      'parcel/ping/1',
      'parcel/xstate.done.actor.courier.*/1',
      'parcel/xstate.done.actor.courier.*/2',
      'parcel.running.resting/hush/1',
    ]);
  });

  test('every state belongs to the word of its top-level ancestor', () => {
    expect(stateOf('parcel.running.carrying.left.up')?.word).toBe('running');
    expect(stateOf('parcel.awaitingApproval')?.word).toBe('awaitingApproval');
    expect(stateOf('parcel')?.word).toBeUndefined();
    expect(statesOf(chartOf(lampMachine)).some((state) => state.word !== undefined)).toBe(false);
  });

  test('endings are the final states at the top and the states that say so', () => {
    expect(endingsOf(parcel).map((state) => state.id)).toEqual(['parcel.running.closing', 'parcel.handoff', 'parcel.interrupted', 'parcel.settled']);
  });
});

describe('spawned machines', () => {
  const nested = chartOf(parcelMachine, { spawned: { courier: courierMachine, parcel: parcelMachine } });
  const carrying = statesOf(nested).find((state) => state.key === 'carrying');

  test('nest where meta.spawns names them; a name without a machine stays a name', () => {
    expect(carrying?.spawns).toEqual(['courier', 'observer']);
    expect(carrying?.spawned.map(({ name, chart }) => [name, chart.id])).toEqual([['courier', 'courier']]);
  });

  test('a machine that spawns itself through others is not drawn inside itself', () => {
    const inner = carrying?.spawned[0]?.chart.root.states[0];
    expect(inner).toMatchObject({ spawns: ['parcel'], spawned: [] });
  });

  test('the name of an object method is not a machine', () => {
    const machine = createMachine({ id: 'odd', meta: { spawns: ['constructor'] } });
    expect(chartOf(machine, { spawned: {} }).root.spawned).toEqual([]);
  });

  test('meta of the wrong form is refused by state', () => {
    expect(() => chartOf(createMachine({ id: 'odd', meta: { spawns: 'turn' } }))).toThrow('meta.spawns of state "odd" must be an array');
    expect(() => chartOf(createMachine({ id: 'odd', meta: { ends: 'yes' } }))).toThrow('meta.ends of state "odd" must be true or false');
  });
});
