import { expect, test } from 'vitest';
import { createActor, fromPromise, toPromise, waitFor } from 'xstate';
import { plainLeaves } from '../../actors/plainLeaves.ts';
import { compose } from '../../machines/compose.ts';
import { agentMachine, runMachine, slot, toolCallMachine, turnMachine } from '../../machines/index.ts';
import { CHART_VERSIONS } from '../../machines/versions.ts';
import { asked, callOf, ok, preparedFor, responseOf, resultOf, said } from './samples.ts';

const input = { path: 'run', agent: 'triage', prepared: preparedFor('triage') };

test('plain leaves make a run that an embedding app can start without host and journal', async () => {
  const call = callOf(0);
  const chart = compose(plainLeaves({
    model: async ({ turn }) => ok(turn === 1 ? responseOf([call]) : responseOf()),
    execute: async () => ok(resultOf(call)),
  }));
  const outcome = await toPromise(createActor(chart, { input }).start());
  expect(outcome).toMatchObject({ status: 'completed', how: 'answered', output: 'done', turns: 2 });
  expect(outcome.history).toEqual([asked('hello'), call.item, resultOf(call).item, said('done')]);
});

test('J4: stopping the actor aborts the effect that is at work', async () => {
  const signals: AbortSignal[] = [];
  const chart = compose(plainLeaves({ model: (_, { signal }) => (signals.push(signal), new Promise(() => undefined)) }));
  const actor = createActor(chart, { input }).start();
  expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  actor.stop();
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
});

test('F5: a call may be carried out by a run of its own, to any depth', async () => {
  const delegated = callOf(0, { delegates: true });
  const depthOf = (path: string) => path.split('/run/').length - 1;
  const paths: string[] = [];
  const chart = compose(plainLeaves({
    prepare: async () => ok(preparedFor('helper')),
    model: async ({ effectId, turn }) => (paths.push(effectId), ok(turn === 1 && depthOf(effectId) < 3 ? responseOf([delegated]) : responseOf())),
    execute: async ({ nested }) => ok(resultOf(delegated, { output: nested!.output })),
  }));
  const outcome = await toPromise(createActor(chart, { input }).start());
  expect(outcome.status).toBe('completed');
  expect(Math.max(...paths.map(depthOf))).toBe(3);
  expect(paths).toHaveLength(7);
});

test('a leaf that was left out fails by name when it is first needed, and not before', async () => {
  const call = callOf(0);
  const actor = createActor(compose(plainLeaves({ model: async () => ok(responseOf([call])) })), { input });
  actor.subscribe({ error: () => undefined });
  actor.start();
  await expect(waitFor(actor, () => false)).rejects.toThrow('Actor "execute" is not provided. Pass it to compose() or to machine.provide({ actors: { execute } }).');
});

test('an empty slot says its name', () => {
  const { status, error } = createActor(slot<ReturnType<typeof fromPromise>>('model')).getSnapshot();
  expect([status, String(error)]).toEqual(['error', 'Error: Actor "model" is not provided. Pass it to compose() or to machine.provide({ actors: { model } }).']);
});

test('K4: a leaf that throws breaks the run with its own error', async () => {
  const bug = new Error('bug');
  const actor = createActor(compose(plainLeaves({ model: () => Promise.reject(bug) })), { input });
  actor.subscribe({ error: () => undefined });
  await expect(toPromise(actor.start())).rejects.toBe(bug);
});

test('composing leaves the charts themselves as they were', () => {
  const before = [runMachine, agentMachine, turnMachine, toolCallMachine].map(({ implementations }) => implementations.actors);
  const copies = before.map((actors) => ({ ...actors }));
  compose(plainLeaves({ model: async () => ok(responseOf()) }));
  expect([runMachine, agentMachine, turnMachine, toolCallMachine].map(({ implementations }) => implementations.actors)).toEqual(copies);
});

test('every chart has a version, which runs record with their start', () => {
  expect(CHART_VERSIONS).toEqual({ run: '2', agent: '2', turn: '3', toolCall: '3' });
});
