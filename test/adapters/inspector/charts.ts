import { assign, sendTo, setup, spawnChild, stopChild, type ActorLogic, type AnyEventObject, type Snapshot } from 'xstate';

/** Texts that must never leave the process, one for each way in which they could. */
export const SECRETS = {
  apiKey: 'sk-proj-0123456789abcdef0123',
  header: 'Bearer abcdef.0123456789.zyxwvu',
  password: 'correct horse battery staple',
  inText: 'sk-live-ABCDEFGH12345678',
  environment: '/home/somebody/private',
  definition: 'sk-in-the-definition-1234',
  prompt: 'the prompt that was given to a leaf',
  answer: 'the answer that a leaf came back with',
  failure: 'ghp_abcdefghijklmnopqrstuvwx',
  event: 'what a person typed into the chat',
  initial: 'what the run was started with',
  tail: 'xoxb-1234567890-abcdefghij',
};

interface EffectSnapshot {
  status: 'active' | 'done' | 'error';
  output: unknown;
  error: unknown;
  input: unknown;
}

/** A leaf in the manner of ours: it waits until the host tells it how the effect ended. */
export const effectLogic: ActorLogic<EffectSnapshot & Snapshot<unknown>, AnyEventObject, unknown> = {
  transition: (snapshot, event) => {
    if (event.type === 'effect.done') return { ...snapshot, status: 'done', output: event['output'] } as EffectSnapshot & Snapshot<unknown>;
    if (event.type === 'effect.failed') return { ...snapshot, status: 'error', error: event['error'] } as EffectSnapshot & Snapshot<unknown>;
    return snapshot;
  },
  getInitialSnapshot: (_, input) => ({ status: 'active', output: undefined, error: undefined, input }),
  getPersistedSnapshot: (snapshot) => snapshot,
};

const levels = (name: string, depth: number): Record<string, object> =>
  Object.fromEntries(
    [1, 2, 3].map((index) => {
      const on = Object.fromEntries(Array.from({ length: 15 }, (_, event) => [`${name}.event.${event}`, { actions: 'note', description: `event ${event}` }]));
      const inner = depth === 1 ? {} : { initial: `${name}1`, states: levels(name, depth - 1) };
      return [`${name}${index}`, { on, description: `${name} at ${depth}`, ...inner }];
    }),
  );

/** Four levels of three states, 15 events each: deeper and wider than the inspector's defaults would let through. */
export const deepStates = levels('level', 4);

/** One call: busy in a nested state until its leaf ends. */
export const callMachine = setup({
  types: {} as { input: { index: number; prompt: string }; context: { index: number; headers: Record<string, string> } },
  actors: { execute: effectLogic },
  actions: { answer: sendTo('execute', ({ event }) => ({ type: 'effect.done', output: (event as unknown as { output: unknown }).output })) },
}).createMachine({
  id: 'call',
  context: ({ input }) => ({ index: input.index, headers: { authorization: SECRETS.header } }),
  initial: 'running',
  states: {
    running: {
      initial: 'executing',
      states: {
        executing: {
          invoke: { id: 'execute', src: 'execute', input: { prompt: SECRETS.prompt }, onDone: '#call.settled', onError: '#call.settled' },
          on: { finish: { actions: 'answer' } },
        },
      },
    },
    settled: { type: 'final' },
  },
  output: ({ event }) => event.output,
});

/** Holds a long history and secrets, and spawns as many calls as it is told to. */
export const runMachine = setup({
  types: {} as {
    input: { prompt: string; calls: number };
    context: { history: { role: string; content: string }[]; settings: Record<string, unknown>; calls: number };
    events: { type: string; [key: string]: unknown };
  },
  actors: { call: callMachine },
  actions: { note: () => {} },
}).createMachine({
  id: 'run',
  version: '1',
  description: 'a run with a deep chart',
  context: ({ input }) => ({
    calls: input.calls,
    history: Array.from({ length: 1_000 }, (_, index) => ({ role: 'user', content: `item ${index} ${SECRETS.tail} ${'lorem '.repeat(200)}` })),
    settings: { apiKey: SECRETS.apiKey, password: SECRETS.password, env: { HOME: SECRETS.environment }, note: `mine is ${SECRETS.inText}`, usage: { inputTokens: 12 } },
  }),
  meta: { spawns: ['call'], provider: { apiKey: SECRETS.definition } },
  initial: 'level1',
  states: deepStates as Record<string, {}>,
  on: {
    spawn: {
      actions: assign(({ context, spawn }) => {
        for (let index = 0; index < context.calls; index += 1) spawn('call', { id: `call.${index}`, input: { index, prompt: SECRETS.prompt } });
        return {};
      }),
    },
    one: { actions: spawnChild('call', { id: 'call.one', input: { index: 0, prompt: SECRETS.prompt } }) },
    'xstate.done.actor.call.*': { actions: stopChild(({ event }) => (event as unknown as { actorId: string }).actorId) },
    finish: { actions: sendTo('call.one', ({ event }) => event) },
    say: {},
    last: {},
  },
});
