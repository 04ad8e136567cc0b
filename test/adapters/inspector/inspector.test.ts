import { describe, expect, test } from 'vitest';
import { createActor, fromPromise, setup } from 'xstate';
import type { InspectedPart, StatelyInspectorOptions } from '../../../adapters/inspector/index.ts';
import { deepStates, SECRETS } from './charts.ts';
import { inspecting, startRun } from './inspecting.ts';
import { actorsIn, isEvent, packageWatcher, rawWatcher } from './watcher.ts';

describe("the package's own receiver", () => {
  test('gets definitions whole: every nested state and every transition', async () => {
    const inspector = await inspecting();
    const watcher = await packageWatcher(inspector);
    const run = startRun(inspector);
    run.send({ type: 'last' });
    await watcher.until(isEvent('last'));
    const definition = JSON.parse(actorsIn(watcher.messages)[0]!.definition!);
    expect(pathsIn(definition.states)).toHaveLength(3 + 9 + 27 + 81);
    expect(pathsIn(definition.states)).toEqual(pathsIn(deepStates));
    expect(definition.states).toEqual(JSON.parse(JSON.stringify(deepStates)));
    expect([definition.id, definition.version, definition.initial, definition.meta.spawns]).toEqual(['run', '1', 'level1', ['call']]);
  });

  test('gets a chart that is nested forty levels deep', async () => {
    const nested = (depth: number): Record<string, object> => ({ [`at${depth}`]: depth === 1 ? {} : { initial: `at${depth - 1}`, states: nested(depth - 1) } });
    const inspector = await inspecting();
    const watcher = await packageWatcher(inspector);
    const actor = createActor(setup({}).createMachine({ id: 'deep', initial: 'at40', states: nested(40) }), { inspect: inspector.inspect }).start();
    await watcher.until((message) => message.type === '@xstate.snapshot' && message.sessionId === actor.sessionId);
    expect(pathsIn(JSON.parse(actorsIn(watcher.messages)[0]!.definition!).states)).toEqual(pathsIn(nested(40)));
  });

  test('gets every actor of a large tree, by name and with its parent', async () => {
    const inspector = await inspecting();
    const watcher = await packageWatcher(inspector);
    const run = startRun(inspector, 300);
    run.send({ type: 'spawn' });
    run.send({ type: 'last' });
    await watcher.until(isEvent('last'));
    const actors = actorsIn(watcher.messages);
    const bySession = new Map(actors.map((actor) => [actor.sessionId, actor]));
    expect(actors).toHaveLength(601);
    expect(actors.filter(({ name }) => name === 'execute').every(({ parentId }) => bySession.get(parentId!)!.name.startsWith('call.'))).toBe(true);
    expect(new Set(actors.filter(({ parentId }) => parentId === run.sessionId).map(({ name }) => name))).toEqual(new Set(Array.from({ length: 300 }, (_, index) => `call.${index}`)));
    expect(new Set(actors.map(({ rootId }) => rootId))).toEqual(new Set([run.sessionId]));
  });

  test('is told of all actors when it comes late, with what they are by then', async () => {
    const inspector = await inspecting();
    const run = startRun(inspector, 100);
    run.send({ type: 'spawn' });
    run.send({ type: 'one' });
    run.send({ type: 'finish', output: { status: 'ok', value: SECRETS.answer } });
    const watcher = await packageWatcher(inspector);
    run.send({ type: 'last' });
    await watcher.until(isEvent('last'));
    const actors = actorsIn(watcher.messages);
    expect(actors).toHaveLength(1 + 2 * 101);
    expect(actors[0]!.snapshot).toMatchObject({ status: 'active', context: { history: { length: 1_000 } } });
    expect(actors.find(({ name }) => name === 'call.one')!.snapshot).toEqual({ status: 'done', value: 'settled' });
    expect(JSON.stringify(watcher.messages)).not.toContain(SECRETS.answer);
  });

  test('shows a leaf by its slot, with the shape of what it was given and gave, and none of the text', async () => {
    const inspector = await inspecting();
    const watcher = await packageWatcher(inspector);
    const run = startRun(inspector);
    run.send({ type: 'one' });
    run.send({ type: 'finish', output: { status: 'ok', value: SECRETS.answer, usage: { totalTokens: 7 } } });
    run.send({ type: 'last' });
    await watcher.until(isEvent('last'));
    const leaf = actorsIn(watcher.messages).find(({ name }) => name === 'execute')!;
    expect(JSON.parse(leaf.definition!)).toEqual({ id: 'execute' });
    const told = watcher.messages.filter(({ sessionId, type }) => sessionId === leaf.sessionId && type !== '@xstate.actor');
    const shape = { status: 'ok', value: `[text, ${SECRETS.answer.length} characters]`, usage: { totalTokens: 7 } };
    expect(told.map((message) => ('event' in message ? message.event : undefined))).toContainEqual({ type: 'effect.done', output: shape });
    expect(told.map((message) => ('snapshot' in message ? message.snapshot : undefined))).toContainEqual({
      status: 'done',
      output: shape,
      input: { prompt: `[text, ${SECRETS.prompt.length} characters]` },
    });
  });
});

describe('what leaves the process', () => {
  test('holds none of the secrets, wherever they were', async () => {
    const inspector = await inspecting();
    const watcher = await rawWatcher(inspector.url);
    const run = startRun(inspector, 3);
    run.send({ type: 'spawn', authorization: SECRETS.header });
    run.send({ type: 'say', text: SECRETS.event, to: [SECRETS.event] });
    run.send({ type: 'one' });
    run.send({ type: 'finish', output: { status: 'error', code: 'refused', error: new Error(`refused: ${SECRETS.failure}`), value: SECRETS.answer } });
    const failing = createActor(fromPromise(() => Promise.reject(new Error(`no access with ${SECRETS.failure}`)), ), { inspect: inspector.inspect, input: SECRETS.prompt });
    failing.subscribe({ error: () => {} });
    failing.start();
    run.send({ type: 'last' });
    await watcher.until((message) => message.type === '@xstate.snapshot' && message.snapshot.status === 'error');
    const late = await rawWatcher(inspector.url);
    run.send({ type: 'last' });
    await late.until(isEvent('last'));
    const bytes = [...watcher.texts, ...late.texts].join('\n');
    expect(Object.entries(SECRETS).filter(([, secret]) => bytes.includes(secret)).map(([name]) => name)).toEqual([]);
    expect(bytes).toContain('no access with [redacted]');
    expect(bytes).toContain('inputTokens');
  });

  test('is bounded for each message, however large the context', async () => {
    const inspector = await inspecting();
    const watcher = await rawWatcher(inspector.url);
    const run = startRun(inspector, 2);
    run.send({ type: 'spawn' });
    run.send({ type: 'say', everything: run.getSnapshot().context.history, wide: Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`key${index}`, index])) });
    run.send({ type: 'last' });
    await watcher.until(isEvent('last'));
    const sizes = watcher.texts.filter((text) => !text.includes('"type":"@xstate.actor"')).map((text) => text.length);
    expect(sizes.length).toBeGreaterThan(10);
    expect(Math.max(...sizes)).toBeLessThan(8_000);
  });

  test('a large context is not walked whole', async () => {
    let reads = 0;
    const counted = <Value extends object>(value: Value): Value => new Proxy(value, { get: (target, key, receiver) => ((reads += 1), Reflect.get(target, key, receiver)) });
    const large = counted(Array.from({ length: 100_000 }, (_, index) => counted({ index })));
    const machine = setup({}).createMachine({ id: 'large', context: { large }, on: { last: {} } });
    const inspector = await inspecting();
    const unwatched = createActor(machine, { inspect: inspector.inspect }).start();
    unwatched.send({ type: 'last' });
    expect(reads).toBe(0);
    const watcher = await packageWatcher(inspector);
    unwatched.send({ type: 'last' });
    await watcher.until(isEvent('last'));
    expect(reads).toBeGreaterThan(0);
    expect(reads).toBeLessThan(100);
  });

  test('can be decided by the user, for each part and with the default at hand', async () => {
    const sanitize: StatelyInspectorOptions['sanitize'] = (part, redact) => (part.kind === 'snapshot' ? { status: 'active', value: 'hidden' } : redact(part));
    const inspector = await inspecting({ sanitize });
    const watcher = await packageWatcher(inspector);
    startRun(inspector).send({ type: 'last', text: 'hello' });
    await watcher.until((message) => message.type === '@xstate.snapshot' && message.event.type === 'last');
    expect(watcher.messages.at(-1)).toMatchObject({ snapshot: { status: 'active', value: 'hidden' }, event: { type: 'last', text: '[text, 5 characters]' } });
  });

  test.each<[string, NonNullable<StatelyInspectorOptions['sanitize']>, string]>([
    ['throws', () => { throw new RangeError(SECRETS.event); }, 'a RangeError'],
    ['returns nothing', () => undefined, 'nothing'],
    ['returns what is not JSON', () => ({ big: 1n }), 'a TypeError'],
  ])('withholds the part when sanitize %s, and the chart goes on', async (_, sanitize, reason) => {
    const inspector = await inspecting({ sanitize: (part, redact) => (part.kind === 'event' && (part.value as { type: string }).type === 'say' ? sanitize(part, redact) : redact(part)) });
    const watcher = await rawWatcher(inspector.url);
    const run = startRun(inspector);
    run.send({ type: 'say', text: SECRETS.event });
    run.send({ type: 'last' });
    await watcher.until(isEvent('last'));
    expect(watcher.messages.filter(isEvent('say'))).toMatchObject([{ event: { type: 'say', withheld: `[withheld: sanitize gave ${reason}]` } }]);
    expect(watcher.texts.join()).not.toContain(SECRETS.event);
  });

  test('every actor that a sanitize is asked about has a name and a slot', async () => {
    const asked: InspectedPart['actor'][] = [];
    const inspector = await inspecting({ sanitize: (part, redact) => (asked.push(part.actor), redact(part)) });
    const watcher = await packageWatcher(inspector);
    const run = startRun(inspector);
    run.send({ type: 'one' });
    run.send({ type: 'last' });
    await watcher.until(isEvent('last'));
    expect(new Set(asked.map(({ name, src, isMachine }) => `${name} ${src} ${isMachine}`))).toEqual(new Set(['probe undefined true', 'run undefined true', 'call.one call true', 'execute execute false']));
  });
});

function pathsIn(states: Record<string, { states?: Record<string, {}> }>, prefix = ''): string[] {
  return Object.entries(states).flatMap(([name, state]) => [`${prefix}${name}`, ...pathsIn(state.states ?? {}, `${prefix}${name}.`)]);
}
