import { and, not, or, setup, stateIn, type ActorLogic } from 'xstate';

const empty = {
  getInitialSnapshot: () => ({ status: 'active', output: undefined, error: undefined }) as const,
  transition: <Snapshot>(snapshot: Snapshot): Snapshot => snapshot,
  getPersistedSnapshot: <Snapshot>(snapshot: Snapshot): Snapshot => snapshot,
};
// The drawings never start an actor: the type of a leaf is all that is needed here.
const leaf = empty as unknown as ActorLogic<any, any, any>;

const nothing = (): void => {};
const never = (): boolean => false;

/** A small machine in the five words; it has at least one of everything that a chart can show. */
export const parcelMachine = setup({
  actors: { scale: leaf, courier: leaf },
  guards: { isHeavy: never, isFragile: never, fits: (_, params: { limit: number }) => params.limit > 0 },
  actions: { weigh: nothing, note: (_, params: { text: string }) => void params, wave: nothing },
  delays: { patience: 1000 },
}).createMachine({
  id: 'parcel',
  version: '2',
  description: 'A parcel on its way: <weighed> & "sent".',
  initial: 'running',
  on: {
    interrupt: '.interrupted',
    ping: { actions: 'wave' },
    'xstate.done.actor.courier.*': [{ guard: 'isHeavy', target: '.settled' }, { actions: { type: 'note', params: { text: 'on' } } }],
  },
  states: {
    running: {
      tags: ['busy'],
      initial: 'weighing',
      on: { restart: { target: 'running', reenter: true } },
      states: {
        weighing: {
          description: 'The scale answers, or patience ends; a long sentence that has to be folded before it fits into its box.',
          entry: 'weigh',
          exit: ['wave', { type: 'note', params: { text: 'left' } }],
          invoke: {
            id: 'balance',
            src: 'scale',
            onDone: [
              { guard: { type: 'fits', params: { limit: 30 } }, target: 'carrying', actions: ['weigh', 'wave'] },
              { guard: and(['isHeavy', not('isFragile'), or(['isFragile', stateIn({ running: 'carrying' })])]), target: '#parcel.awaitingApproval', description: 'why' },
              { target: '#parcel.handoff' },
            ],
            onError: '#parcel.settled',
          },
          after: { patience: 'resting', 250: '#parcel.settled' },
        },
        resting: { always: { guard: not('isHeavy'), target: 'weighing', reenter: true }, on: { again: { target: 'resting', reenter: true }, hush: {} } },
        carrying: {
          meta: { spawns: ['courier', 'observer'] },
          type: 'parallel',
          states: { left: { initial: 'up', states: { up: {}, back: { type: 'history', history: 'deep' } } }, right: {} },
          onDone: 'closing',
        },
        closing: { meta: { ends: true }, always: { guard: () => true, target: '#parcel.settled', actions: () => {} } },
      },
    },
    awaitingApproval: { on: { 'person.says': { guard: 'isFragile', target: '#parcel.running' }, '*': 'handoff' } },
    handoff: { type: 'final' },
    interrupted: { type: 'final' },
    settled: { type: 'final' },
  },
});

/** Spawned by the parcel, and spawning parcels again: the composition is a cycle. */
export const courierMachine = setup({}).createMachine({
  id: 'courier',
  initial: 'running',
  states: {
    running: { meta: { spawns: ['parcel'] }, on: { arrive: 'settled', interrupt: 'interrupted' } },
    settled: { type: 'final' },
    interrupted: { type: 'final' },
  },
});

export const lampMachine = setup({ guards: { hasPower: never }, actions: { click: nothing } }).createMachine({
  id: 'lamp',
  version: '1',
  description: 'A lamp.',
  initial: 'off',
  states: { off: { on: { press: [{ guard: 'hasPower', target: 'on', actions: 'click' }, { actions: 'click' }] } }, on: { tags: ['bright'], on: { press: 'off' } } },
});
