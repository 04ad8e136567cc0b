import { type PlainEffects, plainLeaves } from 'loopchart';
import { compose } from 'loopchart/machines';
import { createActor, waitFor } from 'xstate';

const effects: PlainEffects = {
  // Ask whatever you like; the chart decides what its answer means.
  model: async ({ agent, history }) => ({
    status: 'ok',
    at: Date.now(),
    value: {
      items: [], calls: [], toolUse: 'run_llm_again', usage: { inputTokens: 3, outputTokens: 1, totalTokens: 4 },
      final: { output: `${agent} read ${history.length} item` },
    },
  }),
};
const conversation = [{ type: 'message' as const, role: 'user' as const, content: 'Hello' }];
const actor = createActor(compose(plainLeaves(effects)), {
  input: {
    path: 'run.1',
    agent: 'greeter',
    prepared: {
      agent: 'greeter', history: conversation, input: conversation,
      blocking: [], parallel: [], maxTurns: 10, session: false, errorHandlers: [], tellsErrors: false,
    },
  },
});
actor.on('*', (event) => console.log(event.type));
actor.start();

const { output } = await waitFor(actor, (snapshot) => snapshot.status === 'done');
console.log(output?.status, output?.output);
