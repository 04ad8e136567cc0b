/** C8: what a body brings that had been left behind is written down and announced, and changes nothing. */
import { Agent, MemoryJournal, type RunEvent, RunState, ToolGuardrailFunctionOutputFactory, type ToolOptions, defineToolOutputGuardrail, readEvents, run, shellTool, tool } from 'loopchart';
import { answered, calls, responds, says, scriptedModel, virtualClock } from 'loopchart/testing';
import { createThread } from 'loopchart/thread';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { MAY_HAVE_COMPLETED, counted, latch } from '../support/cast.ts';
import { type World, type Seen, play } from '../support/scenario.ts';

const PATH = 'run_test/agent.1/turn.1/toolCall.1.0';

/** A tool whose body ends when it is told to. */
function slowTool(options: Partial<ToolOptions<z.ZodObject>> = {}) {
  const body = latch<unknown>();
  const slow = tool({ name: 'slow', description: 'Takes long.', parameters: z.object({}), ...options, execute: () => body.promise } as ToolOptions<z.ZodObject>);
  return { slow, ends: body.open };
}

const lateIn = ({ events }: Pick<Seen, 'events'>) => events.flatMap((event) => (event.type === 'tool.late' ? [[event.id, event.agent, event.output]] : []));
const lateEntries = (journal: MemoryJournal, runId = 'run_test') => journal.read(runId).flatMap((entry) => (entry.type === 'effect.late' ? [[entry.id, entry.outcome]] : []));

const settled = () => virtualClock().settle();

/** Begins a run and lets the call take longer than its 50 ms. */
async function timedOut(world: World, agent: Agent<any, any>, journal = new MemoryJournal()) {
  const going = world.begin(agent, 'go', { journal });
  await going.until('tool.started');
  await world.clock.advance(50);
  return { going, journal };
}

test('C8: after a timeout, while the run goes on: the model reads the doubt, the result is journalled and announced', async () => {
  const { seen, requests, value } = await play(async (world) => {
    const { slow, ends } = slowTool({ timeoutMs: 50 });
    const { slow: second, ends: secondEnds } = slowTool({ name: 'second' });
    const { going, journal } = await timedOut(world, new Agent({ name: 'A', model: world.model(calls('slow'), calls('second'), says('Done.')), tools: [slow, second] }));
    await going.until((event) => event.type === 'tool.started' && event.call.name === 'second');
    ends('paid after all');
    await going.until('tool.late');
    secondEnds('seen');
    return [lateIn(await going.settled), lateEntries(journal)];
  });
  expect(requests[1]!.input.at(-1)).toEqual(answered('call_1', `Tool 'slow' timed out after 50ms. ${MAY_HAVE_COMPLETED}`, 'slow'));
  expect(value).toEqual([[[PATH, 'A', 'paid after all']], [[`${PATH}/execute#1`, { status: 'ok', value: { output: 'paid after all' } }]]]);
  expect([seen.finalOutput, JSON.stringify(seen.history).includes('after all')]).toEqual(['Done.', false]);
});

test.each(['pure', 'idempotent'] as const)('C8: a tool that is %s is harmless to run again: nothing is said of doubts, and nothing is told of late', async (effect) => {
  const { requests, value } = await play(async (world) => {
    const { slow, ends } = slowTool({ timeoutMs: 50, effect });
    const { going, journal } = await timedOut(world, new Agent({ name: 'A', model: world.model(calls('slow'), says('Done.')), tools: [slow] }));
    ends('late');
    await world.clock.settle();
    return [lateIn(await going.settled), lateEntries(journal)];
  });
  expect([requests[1]!.input.at(-1), value]).toEqual([answered('call_1', "Tool 'slow' timed out after 50ms.", 'slow'), [[], []]]);
});

test('C8: a body that fails after its timeout, or says that it stopped, has nothing to tell', async () => {
  const { value } = await play(async (world) => {
    const broken = tool({ name: 'broken', description: 'Stops.', parameters: z.object({}), timeoutMs: 50, execute: (_input, _context, details) => new Promise((_resolve, reject) => details!.signal!.addEventListener('abort', () => reject(new Error('stopped')))) });
    const { going, journal } = await timedOut(world, new Agent({ name: 'A', model: world.model(calls('broken'), says('Done.')), tools: [broken] }));
    return [lateIn(await going.settled), lateEntries(journal)];
  });
  expect(value).toEqual([[], []]);
});

/** Interrupts a run whose body is at work; it ends within its grace, or after the run was given back. */
async function interruptedRun(world: World, ends: (value: unknown) => void, agent: Agent<any, any>, within: boolean) {
  const journal = new MemoryJournal();
  const events: string[] = [];
  const going = world.begin(agent, 'go', { journal, onEvent: (event) => void events.push(event.type) });
  await going.until('tool.started');
  await world.clock.settle();
  going.interrupt();
  await world.clock.settle();
  if (within) ends('paid after all');
  await world.clock.runAll();
  const seen = await going.settled;
  return { seen, journal, events };
}

test('C8, J2: within the grace of an interrupt, the result is journalled behind the end and announced as the one thing that follows it', async () => {
  const { seen, value } = await play(async (world) => {
    const { slow, ends } = slowTool();
    const { journal, seen } = await interruptedRun(world, ends, new Agent({ name: 'A', model: world.model(calls('slow')), tools: [slow] }), true);
    return [journal.read('run_test').slice(-3).map(({ type }) => type), lateIn(seen)];
  });
  expect(seen.story[1]).toBe(`A: gets slow "aborted by user after 0.0s. ${MAY_HAVE_COMPLETED}"`);
  expect(value).toEqual([['command', 'run.rest', 'effect.late'], [[PATH, 'A', 'paid after all']]]);
  expect(seen.events.slice(-2).map(({ type }) => type)).toEqual(['run.settled', 'tool.late']);
});

test('C8: results that come after the run was given back are journalled too, each of them, and the run stays free for others', async () => {
  const { value } = await play(async (world) => {
    const [one, other] = [slowTool(), slowTool({ name: 'other' })];
    const { journal, seen } = await interruptedRun(world, one.ends, new Agent({ name: 'A', model: world.model(calls(['slow'], ['other'])), tools: [one.slow, other.slow] }), false);
    return { journal, ends: [one.ends, other.ends], told: lateIn(seen).length };
  });
  // They end after the play, which holds that nothing happens once a run has come to rest.
  expect([value.told, lateEntries(value.journal)]).toEqual([0, []]);
  for (const ends of value.ends) ends('paid after all');
  await settled();
  const late = { status: 'ok', value: expect.objectContaining({ output: 'paid after all' }) };
  expect(lateEntries(value.journal)).toEqual([[`${PATH}/execute#1`, late], [`${PATH.replace('1.0', '1.1')}/execute#1`, late]]);
  expect(value.journal.list()).toMatchObject([{ state: 'interrupted', status: 'interrupted', length: value.journal.read('run_test').length }]);
  expect(value.journal.open('run_test').length).toBe(value.journal.read('run_test').length);
});

test.each(['object', 'text'] as const)('C8, K6: a state saved before a late result came is still good (%s)', async (form) => {
  const { runs, value } = await play(async (world) => {
    const { slow, ends } = slowTool({ timeoutMs: 50 });
    const pay = counted('pay', 'paid', { needsApproval: true });
    const agent = new Agent({ name: 'A', model: world.model(calls(['slow'], ['pay']), says('Done.')), tools: [slow, pay.tool] });
    const { going, journal } = await timedOut(world, agent);
    const waiting = await going.settled;
    const state = form === 'object' ? waiting.state : await RunState.fromString<undefined, Agent<any, any>>(agent, waiting.state.toString());
    return { ends, journal, agent, state };
  });
  expect(runs[0]!.outcome).toBe('waiting');
  value.ends('late');
  await settled();
  expect(lateEntries(value.journal).length).toBe(1);
  value.state.approve(value.state.getInterruptions()[0]!);
  const events: string[] = [];
  const { finalOutput } = await run(value.agent, value.state, { journal: value.journal, onEvent: ({ type }) => void events.push(type) });
  expect([finalOutput, events.filter((type) => type === 'tool.late').length]).toEqual(['Done.', 1]);
  expect(value.journal.list()[0]!.state).toBe('settled');
});

test('C8: the doubt is kept where a guardrail words the result anew, and where the timeout ends the run: what comes late names its agent', async () => {
  const rewords = defineToolOutputGuardrail({ name: 'rewords', run: async () => ToolGuardrailFunctionOutputFactory.rejectContent('Withheld.') });
  for (const options of [{ timeoutMs: 50, outputGuardrails: [rewords] }, { timeoutMs: 50, timeoutBehavior: 'raise_exception' as const }]) {
    const { value } = await play(async (world) => {
      const { slow, ends } = slowTool(options as Partial<ToolOptions<z.ZodObject>>);
      const { slow: other, ends: otherEnds } = slowTool({ name: 'other' });
      const { going, journal } = await timedOut(world, new Agent({ name: 'A', model: world.model(calls(['slow'], ['other']), says('Done.')), tools: [slow, other] }));
      ends('late');
      await going.until('tool.late');
      otherEnds('seen');
      return [lateIn(await going.settled), lateEntries(journal).length];
    });
    expect(value).toEqual([[[PATH, 'A', 'late']], 1]);
  }
});

test('C8: a shell command that ends after an interrupt is told of as its output', async () => {
  const { value } = await play(async (world) => {
    const body = latch();
    const shell = shellTool({ shell: { run: async () => (await body.promise, { output: [{ stdout: 'removed', stderr: '', outcome: { type: 'exit' as const, exitCode: 0 } }] }) } });
    const step = responds({ type: 'shell_call', callId: 'sh_1', status: 'completed', action: { commands: ['rm a'] } });
    const { seen } = await interruptedRun(world, () => body.open(), new Agent({ name: 'A', model: world.model(step), tools: [shell] }), true);
    return lateIn(seen);
  });
  expect(value).toEqual([[PATH, 'A', [{ stdout: 'removed', stderr: '', outcome: { type: 'exit', exitCode: 0 } }]]]);
});

test('I1, I6: what a body brings while its thread is given back is told as its journal has it, with the same number and time', async () => {
  const clock = virtualClock();
  const journal = new MemoryJournal();
  const { slow, ends } = slowTool();
  const agent = new Agent({ name: 'A', model: scriptedModel(calls('slow')), tools: [slow] });
  const told: RunEvent[] = [];
  const thread = createThread(agent, { journal, clock, threadId: 'thread_test', onEvent: (event) => void told.push(event) });
  thread.run('go');
  await clock.advance(50);
  const released = thread.release();
  ends('paid after all');
  await released;
  const recorded: RunEvent[] = [];
  for await (const event of readEvents('thread_test', { journal, agents: agent })) recorded.push(event);
  expect(told.at(-1)).toMatchObject({ type: 'tool.late', output: 'paid after all', at: clock.now() });
  expect(told.filter(({ number }) => Number.isInteger(number))).toEqual(recorded);
});
