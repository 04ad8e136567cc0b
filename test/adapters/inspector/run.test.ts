import { expect, test } from 'vitest';
import { Agent, run, tool } from 'loopchart';
import { calls, says, scriptedModel } from 'loopchart/testing';
import { inspecting } from './inspecting.ts';
import { actorsIn, packageWatcher } from './watcher.ts';

const PROMPT = 'the prompt of a customer';

const rain = tool({
  name: 'rain',
  description: 'Tells whether it rains.',
  parameters: { type: 'object', properties: {}, required: [], additionalProperties: true },
  strict: false,
  execute: async () => 'it rains',
});

test('a run that is given `inspect` shows every level of its charts, by name, whole, and as it goes', async () => {
  const inspector = await inspecting();
  const watcher = await packageWatcher(inspector);
  const agent = new Agent({ name: 'Guide', tools: [rain], model: scriptedModel(calls('rain', {}), says('Take a coat.')) });
  const { finalOutput } = await run(agent, PROMPT, { inspect: inspector.inspect, runId: 'run_1' });
  expect(finalOutput).toBe('Take a coat.');
  const root = () => actorsIn(watcher.messages)[0];
  await watcher.until((message) => message.type === '@xstate.snapshot' && message.sessionId === root()?.sessionId && (message.snapshot as { status?: string }).status === 'done');

  const actors = actorsIn(watcher.messages);
  const bySession = new Map(actors.map((actor) => [actor.sessionId, actor]));
  const nameIn = (sessionId: string | undefined) => (sessionId === root()!.sessionId ? 'run' : bySession.get(sessionId!)?.name);
  const tree = actors.slice(1).map(({ name, parentId }) => `${nameIn(parentId)} > ${name}`);
  expect(tree).toEqual(['run > agent.1', 'agent.1 > turn.1', 'turn.1 > model', 'turn.1 > toolCall.1.0', 'toolCall.1.0 > execute', 'agent.1 > turn.2', 'turn.2 > model']);

  const statesOf = (name: string) => Object.keys((JSON.parse((name === 'run' ? root()! : actors.find((actor) => actor.name === name)!).definition!) as { states: object }).states);
  for (const name of ['run', 'agent.1', 'turn.1', 'toolCall.1.0']) expect(statesOf(name)).toEqual(expect.arrayContaining(['running', 'awaitingApproval', 'interrupted', 'settled']));

  // What is said to and by leaves, and with events, is an outline; contexts show excerpts, of a conversation its tail.
  const told = watcher.messages.flatMap((message) => (message.type === '@xstate.event' ? [message.event] : []));
  expect(told.length).toBeGreaterThan(10);
  expect(JSON.stringify(told)).not.toContain(PROMPT);
  const agentSnapshots = watcher.messages.filter((message) => message.type === '@xstate.snapshot' && nameIn(message.sessionId) === 'agent.1');
  const { context } = (agentSnapshots.at(-1) as unknown as { snapshot: { context: { conversation: { history: { length: number; last: { type: string }[] } } } } }).snapshot; // the protocol leaves snapshots untyped
  expect(context.conversation.history.length).toBe(4);
  expect(context.conversation.history.last.map(({ type }) => type)).toEqual(['function_call', 'function_call_result', 'message']);
});

test('inspection changes nothing: the same run without it has the same result', async () => {
  const inspector = await inspecting();
  const resultOf = async (inspect?: typeof inspector.inspect) => {
    const agent = new Agent({ name: 'Guide', tools: [rain], model: scriptedModel(calls('rain', {}), says('Take a coat.')) });
    const { history, finalOutput } = await run(agent, PROMPT, { inspect, runId: 'run_1' });
    return { history, finalOutput };
  };
  expect(await resultOf(inspector.inspect)).toEqual(await resultOf());
});
