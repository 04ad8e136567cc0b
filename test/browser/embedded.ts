/** An app that embeds the charts: no host, no journal, effects of its own. */
import { createActor, toPromise } from 'xstate';
import { plainLeaves } from 'loopchart';
import { type Call, type Response, compose } from 'loopchart/machines';

const look: Call = {
  index: 0,
  item: { type: 'function_call', callId: 'c1', name: 'look', arguments: '{"place":"Oslo"}', status: 'completed' },
  name: 'look',
  callId: 'c1',
  tool: { effect: 'pure', approval: 'never' },
};
const usage = { requests: 1, inputTokens: 1, outputTokens: 1, totalTokens: 2 };
const asks: Response = { items: [look.item], calls: [look], usage, toolUse: 'run_llm_again' };
const says: Response = { items: [], calls: [], usage, toolUse: 'run_llm_again', final: { output: 'It rains in Oslo.' } };

const chart = compose(
  plainLeaves({
    model: async ({ turn }) => ({ status: 'ok', at: Date.now(), value: turn === 1 ? asks : says }),
    execute: async ({ call }) => ({
      status: 'ok',
      at: Date.now(),
      value: { status: 'completed', output: 'rain', item: { type: 'function_call_result', callId: call.callId, name: call.name, status: 'completed', output: { type: 'text', text: 'rain' } } },
    }),
  }),
);

const prepared = { agent: 'guide', history: [], input: [], blocking: [], parallel: [], maxTurns: 10, session: false, errorHandlers: [], tellsErrors: false };

/** What the page is asked for. */
export async function outcome(): Promise<unknown> {
  const actor = createActor(chart, { input: { path: 'run.1', agent: 'guide', prepared } });
  const words: string[] = [];
  actor.subscribe((snapshot) => words.push(typeof snapshot.value === 'string' ? snapshot.value : Object.keys(snapshot.value)[0]!));
  const { status, output, history } = await toPromise(actor.start());
  return { status, output, items: history.map((item) => item.type), words: [...new Set(words)] };
}
