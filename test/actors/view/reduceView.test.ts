/** The reducer of a view, event by event, and over real runs: what is shown live is what is shown when the events are read again. */
import { Agent, type IndividualRunOptions, MemoryJournal, MemorySession, type RunEvent, type RunState, ToolGuardrailFunctionOutputFactory, readEvents, run, tool } from 'loopchart';
import { calls, cuts, fails, hangs, responds, says, scriptedModel, thinks, virtualClock } from 'loopchart/testing';
import { EMPTY_VIEW, type ThreadView, reduceView, viewOf } from 'loopchart/view';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { counted, refund } from '../../scenarios/support/cast.ts';
import { line } from './line.ts';

type AnyAgent = Agent<any, any>; // `any`: a test has agents of all kinds

const lines = ({ transcript }: ThreadView) => transcript.map(line);
const words = ({ actors }: ThreadView) => actors.map(({ path, word, phase }) => `${path.replace(/^run_[\w-]+/, 'run')} ${word}${phase ? ` ${phase}` : ''}`);

/** Everything that a run tells, deltas too; and the view after each event. */
async function watched(agent: AnyAgent, input: string | RunState<any, any>, options: Omit<IndividualRunOptions<any, any>, 'stream'> = {}) {
  const events: RunEvent[] = [];
  const stream = await run(agent, input, { clock: virtualClock(), ...options, stream: true, onEvent: (event) => void events.push(event) });
  await stream.completed.catch(() => undefined);
  return { events, views: viewsOf(events), state: stream.state as RunState<any, any> };
}
function viewsOf(events: readonly RunEvent[]): ThreadView[] {
  let view = EMPTY_VIEW;
  return events.map((event) => (view = reduceView(view, event)));
}
const lasting = (events: readonly RunEvent[]) => events.filter(({ number }) => typeof number === 'number');

test('text streams in one entry, and becomes the item', async () => {
  const { views } = await watched(new Agent({ name: 'Desk', model: scriptedModel(says('one two three')) }), 'go');
  expect([...new Set(views.map((view) => lines(view).join()))]).toEqual(['', 'Desk streaming: one ', 'Desk streaming: one two ', 'Desk streaming: one two three', 'Desk: one two three']);
});

test('calls show how far they are; what they asked and brought stays', async () => {
  const work = tool({ name: 'work', description: 'Works.', parameters: z.object({ on: z.string() }), execute: (_, __, details) => (details?.progress?.({ done: 1 }), 'worked') });
  const { views } = await watched(new Agent({ name: 'Desk', model: scriptedModel(responds(thinks('Hm.'), says('I will.'), calls('work', { on: 'it' })), says('Done.')), tools: [work] }), 'go');
  expect(lines(views.at(-1)!)).toEqual(['reasoning: Hm.', 'Desk: I will.', 'work completed: worked', 'Desk: Done.']);
  const call = (view: ThreadView) => view.transcript.find(({ kind }) => kind === 'toolCall');
  expect([...new Set(views.map((view) => call(view) as { status: string } | undefined).map((entry) => entry?.status))]).toEqual([undefined, 'called', 'running', 'completed']);
  expect(call(views.at(-1)!)).toMatchObject({ tool: 'work', arguments: '{"on":"it"}' });
});

test('a nested agent stands under its call, beside one that works at the same time', async () => {
  const inner = (name: string, text: string) => new Agent({ name, model: scriptedModel(calls('tick'), says(text)), tools: [counted('tick').tool] }).asTool({});
  const { views } = await watched(new Agent({ name: 'Outer', model: scriptedModel(calls(['Left', { input: 'l' }], ['Right', { input: 'r' }]), says('Done.')), tools: [inner('Left', 'left'), inner('Right', 'right')] }), 'go');
  expect(lines(views.at(-1)!)).toEqual(['Left completed: left', '  tick completed: done', '  Left: left', 'Right completed: right', '  tick completed: done', '  Right: right', 'Outer: Done.']);
});

test('a call that waits is asked about until it is answered; every level says so', async () => {
  const agent = new Agent({ name: 'Outer', model: scriptedModel(calls('Inner', { input: 'hi' }), says('Done.')), tools: [new Agent({ name: 'Inner', model: scriptedModel(calls('refund', { order: 7 }), says('ok')), tools: [refund] }).asTool({})] });
  const { views, events, state } = await watched(agent, 'go');
  const waiting = views.at(-1)!;
  expect(waiting.pending).toEqual([{ id: state.getInterruptions()[0]!.id, path: expect.stringMatching(/toolCall\.1\.0$/), agent: 'Inner', tool: 'refund', arguments: '{"order":7}', kind: 'approval' }]);
  expect([waiting.phase, lines(waiting)]).toEqual(['awaitingApproval', ['Inner running', '  refund awaitingApproval']]);
  expect(waiting.actors.map(({ kind, word }) => `${kind} ${word}`)).toEqual(['run', 'agent', 'turn', 'toolCall', 'run', 'agent', 'turn', 'toolCall'].map((kind) => `${kind} awaitingApproval`));
  state.approve(state.getInterruptions()[0]!);
  const later = await watched(agent, state);
  expect(viewOf(events.concat(later.events.slice(lasting(events).length)))).toEqual(viewOf(later.events));
  expect([later.views.at(-1)!.pending, words(later.views.at(-1)!), lines(later.views.at(-1)!)]).toEqual([[], ['run settled'], ['Inner completed: ok', '  refund completed: refunded 7', '  Inner: ok', 'Outer: Done.']]);
});

test('a handoff is one entry, and the floor is passed on', async () => {
  const last = new Agent({ name: 'Last', model: scriptedModel(says('Done.')) });
  const { views } = await watched(new Agent({ name: 'First', model: scriptedModel(calls('transfer_to_Last')), handoffs: [last] }), 'go');
  expect([lines(views.at(-1)!), views.at(-1)!.agent]).toEqual([['handoff occurred: Last', 'Last: Done.'], 'Last']);
  expect(views.map((view) => view.actors[0]?.word)).toContain('handoff');
});

describe('what is taken back is not shown any more', () => {
  const retry = { maxRetries: 2, policy: () => ({ retry: true, delayMs: 0 }), afterOutput: true } as const;
  const desk = (...steps: Parameters<typeof scriptedModel>) => new Agent({ name: 'Desk', model: scriptedModel(...steps), modelSettings: { retry } });

  test('K2: an answer that was cut and asked for again', async () => {
    const { views } = await watched(desk(cuts(4, says('one two three')), says('four five')), 'go', { clock: undefined });
    const seen = [...new Set(views.map((view) => lines(view).join()))];
    expect(seen.slice(0, 3)).toEqual(['', 'Desk streaming: one ', 'Desk streaming: one two ']);
    expect([seen.includes('Desk streaming: four '), seen.at(-1)]).toEqual([true, 'Desk: four five']);
    expect(views.at(-1)!.errors).toEqual([expect.objectContaining({ code: 'model', isRetried: true })]);
    expect(views.map((view) => view.actors.at(-1)?.phase)).toContain('backingOff');
  });

  test('J2: what had streamed when it was interrupted stands as incomplete, or goes', async () => {
    for (const keepPartial of [true, false]) {
      const clock = virtualClock();
      const events: RunEvent[] = [];
      const stream = await run(new Agent({ name: 'Desk', model: scriptedModel(hangs(3, says('one two three'))) }), 'go', { stream: true, clock, keepPartial, onEvent: (event) => void events.push(event) });
      await clock.settle();
      await stream.cancel();
      expect(lines(viewOf(events))).toEqual([...(keepPartial ? ['Desk incomplete: one two '] : []), 'interrupted: The run was interrupted.']);
      expect(words(viewOf(events))).toEqual(['run interrupted']);
    }
  });

  test('a run that fails while it streams', async () => {
    const { views } = await watched(new Agent({ name: 'Desk', model: scriptedModel(cuts(3, says('one two'))) }), 'go');
    expect(lines(views.at(-1)!)).toEqual([expect.stringMatching(/^error model: /)]);
    expect(views.at(-1)!.errors).toEqual([expect.objectContaining({ code: 'model', isRetried: false })]);
  });

  const objects = { name: 'calm', execute: async () => ({ tripwireTriggered: true, outputInfo: {} }) };
  test('E3: an output that a guardrail objects to', async () => {
    const { views } = await watched(new Agent({ name: 'Desk', model: scriptedModel(says('secret')), outputGuardrails: [objects] }), 'go');
    expect(lines(views.at(-1)!)).toEqual(['Desk withheld: ', expect.stringMatching(/^error outputGuardrail/)]);
    const byTool = await watched(new Agent({ name: 'Desk', model: scriptedModel(calls('tick')), tools: [counted('tick', 'secret').tool], toolUseBehavior: 'stop_on_first_tool', outputGuardrails: [objects] }), 'go');
    expect(lines(byTool.views.at(-1)!)[0]).toBe('tick completed: Output withheld by an output guardrail.');
    const held = await watched(new Agent({ name: 'Desk', model: scriptedModel(says('secret')), outputGuardrails: [objects] }), 'go', { bufferUntilGuarded: true });
    expect(held.views.flatMap(lines).filter((text) => text.includes('secret'))).toEqual([]);
  });
});

test('a steer stands where the model reads it; all kinds of input are told apart', () => {
  const event = (number: number, more: object) => ({ number, at: number, cause: '', agent: 'Desk', path: 'thread_1/run.1', ...more }) as RunEvent; // of no other shape than its kind needs here
  const message = (text: string) => ({ type: 'message', role: 'user', content: text });
  const view = viewOf([
    event(1, { type: 'input.accepted', ids: ['a'], items: [message('go')], source: { kind: 'command', id: 'a' } }),
    event(2, { type: 'input.delivered', ids: ['b', 'c'], items: [message('and this'), message('one is back')], origins: ['user', 'mail'] }),
    event(3, { type: 'input.accepted', ids: [], items: [message('Keep going.')], source: { kind: 'goal' }, origin: { runtime: 'goal' } }),
    event(4, { type: 'history.injected', path: 'thread_1', items: [message('by the way'), { type: 'function_call', callId: 'x', name: 'look', arguments: '{}' }, { type: 'function_call_result', callId: 'x', name: 'look', output: 'seen' }] }),
  ]);
  expect(lines(view)).toEqual(['user: go', 'user: and this', 'mail: one is back', 'goal: Keep going.', 'user: by the way', 'look completed: seen']);
});

test('what a thread tells of itself is there as it was told; a revert takes back what came after', () => {
  const event = (number: number, type: string, more: object = {}) => ({ number, type, at: number, cause: '', agent: 'Desk', path: 'thread_1', ...more }) as RunEvent; // as above
  const item = (run: number, turn: number, text: string) => ({ path: `thread_1/run.${run}/agent.1/turn.${turn}`, id: `thread_1/run.${run}/agent.1/turn.${turn}/item.1.0`, item: { type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text }] } });
  const events = [
    event(1, 'thread.started'),
    event(2, 'thread.changed', { state: 'active', phase: 'running', runId: 'thread_1/run.1' }),
    event(3, 'item.started', item(1, 1, 'one')),
    event(4, 'item.started', item(1, 2, 'two')),
    event(5, 'item.started', item(2, 1, 'three')),
    event(6, 'queue.changed', { queue: [{ id: 'q', input: [] }] }),
    event(7, 'mailbox.changed', { mailbox: [{ id: 'm', from: 'a', content: 'hi', triggerTurn: false }] }),
    event(8, 'rules.changed', { rules: [{ id: 'r', tool: 'refund', decision: 'allow' }] }),
    event(9, 'goal.changed', { goal: { message: 'on', maxRuns: 1, runs: 0 }, why: 'set' }),
    event(10, 'thread.changed', { state: 'paused' }),
  ];
  const view = viewOf(events);
  expect({ ...view, transcript: lines(view), actors: [] }).toEqual({
    ...EMPTY_VIEW, state: 'paused', agent: 'Desk', number: 10, transcript: ['Desk: one', 'Desk: two', 'Desk: three'], queue: [{ id: 'q', input: [] }],
    mailbox: [{ id: 'm', from: 'a', content: 'hi', triggerTurn: false }], rules: [{ id: 'r', tool: 'refund', decision: 'allow' }], goal: { message: 'on', maxRuns: 1, runs: 0 },
  });
  const reverted = (to: object) => lines(reduceView(view, event(11, 'thread.reverted', { to, length: 1 })));
  expect(reverted({ runId: 'thread_1/run.1' })).toEqual(['Desk: one', 'Desk: two', 'revert: The conversation goes on from here.']);
  expect(reverted({ runId: 'thread_1/run.1', turn: 1 })).toEqual(['Desk: one', 'revert: The conversation goes on from here.']);
  expect(reverted({ runId: null })).toEqual(['revert: The conversation goes on from here.']);
});

test('deltas that were left out are owned up to, until the item is there', () => {
  const event = (number: number | string, type: string, more: object = {}) => ({ number, type, at: 0, cause: '', agent: 'Desk', path: 'run_1/agent.1/turn.1', ...more }) as RunEvent; // as above
  const before = [event(1, 'turn.started'), event('1.1', 'delta', { data: { type: 'output_text_delta', delta: 'one ' } }), event('1.2', 'deltas.dropped', { dropped: 3 }), event('1.5', 'delta', { data: { type: 'output_text_delta', delta: 'five' } })];
  expect(viewOf(before).transcript).toEqual([expect.objectContaining({ text: 'one five', hasGaps: true, status: 'streaming' })]);
  const item = { type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'one two three four five' }] };
  expect(viewOf([...before, event(2, 'item.started', { id: 'run_1/agent.1/turn.1/item.1.0', item })]).transcript).toEqual([expect.not.objectContaining({ hasGaps: true })]);
});

test('an event that is in it already changes nothing, nor does one of no concern', async () => {
  const { events, views } = await watched(new Agent({ name: 'Desk', model: scriptedModel(says('Done.')) }), 'go');
  const view = views.at(-1)!;
  expect(lasting(events).every((event) => reduceView(view, event) === view)).toBe(true);
  expect(reduceView(view, { ...events[0]!, number: '9.1', type: 'delta', data: { type: 'response_started' } } as RunEvent)).toBe(view);
});

test('a transcript has at most so many entries: the oldest leave', async () => {
  const { events } = await watched(new Agent({ name: 'Desk', model: scriptedModel(responds(calls('tick'), says('one')), says('two')), tools: [counted('tick').tool] }), 'go');
  expect(lines(viewOf(events, { keepEntries: 2 }))).toEqual(['tick completed: done', 'Desk: two']);
});

describe('I1, I6: live and read again it is the same, and no event is needed but those that are read again', () => {
  const inner = () => new Agent({ name: 'Inner', model: scriptedModel(calls('tick'), says('inner')), tools: [counted('tick').tool] }).asTool({});
  const broken = tool({ name: 'broken', description: 'Breaks.', parameters: z.object({}), execute: () => { throw new Error('broken'); } });
  const guarded = tool({ name: 'guarded', description: 'Is guarded.', parameters: z.object({}), execute: () => 'x', outputGuardrails: [{ name: 'no', run: async () => ToolGuardrailFunctionOutputFactory.rejectContent('not this') }] });
  const worlds: [string, () => AnyAgent, object?][] = [
    ['an answer', () => new Agent({ name: 'Desk', model: scriptedModel(says('one two')) })],
    ['calls, nested agents and a handoff', () => new Agent({ name: 'Desk', model: scriptedModel(responds(thinks('Hm.'), says('a b'), calls(['tick'], ['Inner', { input: 'x' }], ['broken'], ['guarded'], ['nothing'])), calls('transfer_to_Last')), tools: [counted('tick').tool, inner(), broken, guarded], handoffs: [new Agent({ name: 'Last', model: scriptedModel(says('the end')) })] })],
    ['a failure', () => new Agent({ name: 'Desk', model: scriptedModel(calls('tick'), fails({ status: 500 })), tools: [counted('tick').tool] })],
    ['a limit', () => new Agent({ name: 'Desk', model: scriptedModel(calls('tick')), tools: [counted('tick').tool] }), { maxTurns: 1 }],
    ['a wait', () => new Agent({ name: 'Desk', model: scriptedModel(calls(['refund', { order: 7 }], ['tick'])), tools: [refund, counted('tick').tool] })],
    ['a session', () => new Agent({ name: 'Desk', model: scriptedModel(says('one two')) }), { session: new MemorySession() }],
  ];
  test.each(worlds)('%s', async (_what, make, options) => {
    const journal = new MemoryJournal();
    const agent = make();
    const { events, state } = await watched(agent, 'go', { journal, ...options });
    const again: RunEvent[] = [];
    for await (const event of readEvents(state.runId, { journal, agents: agent })) again.push(event);
    expect(viewOf(again)).toEqual(viewOf(events));
    expect(JSON.parse(JSON.stringify(viewOf(events)))).toEqual(viewOf(events)); // plain data
    expect(new Set(viewOf(events).transcript.map(({ id }) => id)).size).toBe(viewOf(events).transcript.length);
  });
});
