/** K6: a run that failed on something that may pass, or at a limit with work left, goes on by itself. */
import { Agent, type AgentsError, type AutoResumeEvent, type AutoResumeOptions, JournalConflict, MemoryJournal, RunState, ToolCallError, run, tool } from 'loopchart';
import { type FailureOptions, calls, cuts, fails, repeat, says, scriptedModel, virtualClock } from 'loopchart/testing';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { counted, latch } from '../support/cast.ts';

const STEADY = { initialDelayMs: 1_000, jitter: false };

/** A run with `autoResume`, in both modes, and all the time that it takes; what was told before each going on. */
async function recovering(steps: Parameters<typeof scriptedModel>, autoResume: Partial<AutoResumeOptions> = {}, options: { maxTurns?: number } = {}) {
  const [plain, streamed] = [await playOnce(false), await playOnce(true)];
  expect(streamed, 'streamed, it goes another way').toEqual(plain);
  return plain;

  async function playOnce(stream: boolean) {
    const clock = virtualClock();
    const tick = counted('tick');
    const model = scriptedModel(...steps);
    const told: unknown[] = [];
    const all = {
      ...options, clock, runId: 'run_1',
      autoResume: { maxAttempts: 3, backoff: STEADY, onEvent: ({ attempt, delayMs, error }: AutoResumeEvent) => void told.push([attempt, delayMs, (error as Error).name]), ...autoResume },
    };
    const agent = new Agent({ name: 'Worker', model, tools: [tick.tool] });
    const ending = (stream ? streamedRun(agent, all) : run(agent, 'go', all)).then((result) => ({ result, error: undefined }), (error: AgentsError) => ({ result: undefined, error }));
    await clock.runAll();
    const { result, error } = await ending;
    const state = result?.state ?? (error!.state as RunState<any, any>);
    const { turns } = state.source.outcome!;
    return { output: result?.finalOutput, error: error && [error.name, error.message], told, turns, runs: tick.runs, asked: model.requests.length, items: state.look().newItems.length, isLive: state.source.isLive };
  }
}

async function streamedRun(agent: Agent<any, any>, options: object) {
  const result = await run(agent, 'go', { ...options, stream: true });
  for await (const _ of result);
  await result.completed;
  return result;
}

const PASSING: Record<string, FailureOptions> = {
  'a broken connection': { network: true }, 'a time-out of the provider (408)': { status: 408 }, 'a conflict (409)': { status: 409 }, 'too many requests (429)': { status: 429 }, 'trouble of the provider (500)': { status: 500 }, 'an overloaded provider (529)': { status: 529 },
};
test.each(Object.keys(PASSING))('K6: after %s the run goes on from its state: nothing is asked or done twice', async (kind) => {
  expect(await recovering([calls('tick'), fails(PASSING[kind]!), says('Done.')])).toMatchObject({ output: 'Done.', told: [[1, 1_000, 'ScriptedModelError']], runs: 1, asked: 3, items: 3 });
});

const LASTING: Record<string, FailureOptions> = { 'a bad request': { status: 400 }, 'a wrong key': { status: 401 }, 'what is not there': { status: 404 }, 'an error without a status': { message: 'no' } };
test.each(Object.keys(LASTING))('K6: after %s it fails at once', async (kind) => {
  expect(await recovering([fails(LASTING[kind]!)])).toMatchObject({ told: [], asked: 1, error: ['ScriptedModelError', expect.any(String)] });
});

test('K6: it goes on as often as it may, and then throws the last error, whose state is the newest', async () => {
  expect(await recovering([calls('tick'), repeat(3, fails({ status: 503 })), fails({ status: 500, message: 'the last one' })])).toEqual({
    output: undefined, error: ['ScriptedModelError', 'the last one'], told: [[1, 1_000, 'ScriptedModelError'], [2, 2_000, 'ScriptedModelError'], [3, 4_000, 'ScriptedModelError']], turns: 5, runs: 1, asked: 5, items: 2, isLive: false,
  });
});

test('K6: the pause is what the provider asks for', async () => {
  expect(await recovering([fails({ status: 429, retryAfterMs: 12_345 }), says('Done.')])).toMatchObject({ output: 'Done.', told: [[1, 12_345, 'ScriptedModelError']] });
});

test('K6: by default it waits 250 ms, doubled each time up to 8 s, less up to half', async () => {
  const clock = virtualClock();
  const pauses: number[] = [];
  const model = scriptedModel(repeat(7, fails({ status: 503 })), says('Done.'));
  const running = run(new Agent({ name: 'Worker', model }), 'go', { clock, autoResume: { maxAttempts: 7, onEvent: ({ delayMs }) => void pauses.push(delayMs) } });
  await clock.runAll();
  expect((await running).finalOutput).toBe('Done.');
  const most = [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000];
  expect(pauses.map((ms, at) => ms <= most[at]! && ms >= most[at]! / 2)).toEqual(Array(7).fill(true));
});

test('K6, B1: at the limit of turns with work left it goes on at once, with as many turns again; the error at the end carries the newest state', async () => {
  const error = ['MaxTurnsExceededError', expect.stringContaining('6')];
  expect(await recovering([repeat(6, calls('tick'))], { maxAttempts: 2 }, { maxTurns: 2 })).toMatchObject({ error, told: [[1, 0, error[0]], [2, 0, error[0]]], turns: 6, items: 12 });
});

test('K6, B1: the work that was left is done when the limit has moved', async () => {
  expect(await recovering([repeat(5, calls('tick')), says('Done.')], { maxAttempts: 5 }, { maxTurns: 2 })).toMatchObject({ output: 'Done.', turns: 6, asked: 6 });
});

test('K6, B1: a limit that was moved holds for what comes after other trouble too', async () => {
  const steps = [repeat(2, calls('tick')), calls('tick'), fails({ status: 503 }), calls('tick'), says('Done.')];
  expect(await recovering(steps, {}, { maxTurns: 2 })).toMatchObject({ output: 'Done.', told: [[1, 0, 'MaxTurnsExceededError'], [2, 2_000, 'ScriptedModelError'], [3, 0, 'MaxTurnsExceededError']] });
});

test('K6: retryIf has the say; it sees the error, how often it was, and the state', async () => {
  const asked: unknown[] = [];
  const retryIf: AutoResumeOptions['retryIf'] = async (error, { attempt, state }) => (asked.push([(error as Error).message, attempt, state.history.length]), attempt < 2);
  expect(await recovering([fails({ status: 400, message: 'first' }), fails({ status: 400, message: 'second' })], { retryIf })).toMatchObject({ error: ['ScriptedModelError', 'second'], told: [[1, 1_000, 'ScriptedModelError']] });
  expect(asked.slice(0, 2)).toEqual([['first', 1, 1], ['second', 2, 1]]);
});

test('K6: a tool that fails the run is not tried again of itself', async () => {
  const broken = tool({ name: 'broken', description: 'Throws.', parameters: z.object({}), errorFunction: null, execute: () => { throw new Error('broken'); } });
  const told: unknown[] = [];
  const agent = new Agent({ name: 'Worker', model: scriptedModel(calls('broken')), tools: [broken] });
  await expect(run(agent, 'go', { clock: virtualClock(), autoResume: { maxAttempts: 3, onEvent: (event) => void told.push(event) } })).rejects.toThrow(ToolCallError);
  expect(told).toEqual([]);
});

describe.each(['signal', 'stopSignal'] as const)('K6: %s', (kind) => {
  test('fired during the pause, ends it: nothing is asked any more, and the error stands', async () => {
    const clock = virtualClock();
    const controller = new AbortController();
    const model = scriptedModel(fails({ status: 503 }), says('never'));
    const running = run(new Agent({ name: 'Worker', model }), 'go', { clock, [kind]: controller.signal, autoResume: { maxAttempts: 3, backoff: STEADY } }).catch((error: Error) => error);
    await clock.advance(500);
    expect(clock.pending.length).toBe(1);
    controller.abort();
    expect(await running).toMatchObject({ name: 'ScriptedModelError' });
    expect([clock.pending, model.requests.length]).toEqual([[], 1]);
  });

  test('that ended the run is final, whatever retryIf would say', async () => {
    const clock = virtualClock();
    const controller = new AbortController();
    const [begun, body] = [latch(), latch()];
    const slow = counted('slow', () => (begun.open(), body.promise));
    const model = scriptedModel(calls('slow'), says('never'));
    const told: unknown[] = [];
    const running = run(new Agent({ name: 'Worker', model, tools: [slow.tool] }), 'go', { clock, [kind]: controller.signal, autoResume: { maxAttempts: 3, retryIf: () => true, onEvent: (event) => void told.push(event) } });
    const ended = running.then(({ finalOutput }) => finalOutput, (error: Error) => error.name);
    await begun.promise;
    controller.abort();
    body.open();
    await clock.runAll();
    expect([await ended, told, model.requests.length]).toEqual([kind === 'signal' ? 'AbortError' : undefined, [], 1]);
  });
});

test('K6, J1: a stream is read through all attempts as one, and ends with the answer', async () => {
  const clock = virtualClock();
  const model = scriptedModel(calls('tick'), fails({ status: 503 }), says('Done.'));
  const result = await run(new Agent({ name: 'Worker', model, tools: [counted('tick').tool] }), 'go', { clock, stream: true, autoResume: { maxAttempts: 1, backoff: STEADY } });
  const names: string[] = [];
  const reading = (async () => { for await (const event of result) if (event.type === 'run_item_stream_event') names.push(event.name); })();
  await clock.runAll();
  await reading;
  await result.completed;
  expect([result.finalOutput, names]).toEqual(['Done.', ['tool_called', 'tool_output', 'message_output_created']]);
});

test.each(['cancel', 'afterTurn'] as const)('K6, J1: a stream that is stopped in the pause (%s) goes on no more', async (how) => {
  const clock = virtualClock();
  const model = scriptedModel(fails({ status: 503 }), says('never'));
  const result = await run(new Agent({ name: 'Worker', model }), 'go', { clock, stream: true, autoResume: { maxAttempts: 1, backoff: STEADY } });
  await clock.advance(500);
  await result.cancel(how === 'cancel' ? undefined : { mode: 'afterTurn' });
  await clock.runAll();
  await result.completed.catch(() => undefined);
  expect([model.requests.length, clock.pending]).toEqual([1, []]);
});

test('K6: a stream that is cut short after text was shown is not read twice as if it were one', async () => {
  const clock = virtualClock();
  const model = scriptedModel(cuts(2, says('one two three')), says('one two three'));
  const result = await run(new Agent({ name: 'Worker', model }), 'go', { clock, stream: true, autoResume: { maxAttempts: 1, backoff: STEADY } });
  const reading = (async () => { for await (const _ of result); })();
  await clock.runAll();
  await reading;
  expect([result.finalOutput, model.requests.length]).toEqual(['one two three', 2]);
});

test('K6: each attempt is a run of its own in the journal and in the thread; the tokens of the earlier ones are old', async () => {
  const clock = virtualClock();
  const journal = new MemoryJournal();
  const tokens: string[] = [];
  const agent = new Agent({ name: 'Worker', model: scriptedModel(calls('tick'), fails({ status: 503 }), fails({ status: 503 }), says('Done.')), tools: [counted('tick').tool] });
  const running = run(agent, 'go', { clock, journal, runId: 'run_1', threadId: 'thread_1', autoResume: { maxAttempts: 2, backoff: STEADY, onEvent: ({ state }) => void tokens.push(state.toString()) } });
  await clock.runAll();
  expect((await running).finalOutput).toBe('Done.');
  expect(journal.list({ threadId: 'thread_1' }).map(({ status }) => status)).toEqual(['failed', 'failed', 'completed']);
  expect(tokens.map((token) => (JSON.parse(token) as { runId: string }).runId)).toEqual(journal.list().slice(0, 2).map(({ runId }) => runId));
});

test('K6: a token that survives JSON goes on once; when the run has gone on, it is refused, and nothing is done', async () => {
  const clock = virtualClock();
  const journal = new MemoryJournal();
  const pay = counted('pay', 'paid', { needsApproval: true });
  const agent = new Agent({ name: 'Worker', model: scriptedModel(calls('pay'), says('Done.')), tools: [pay.tool] });
  const { state } = await run(agent, 'go', { clock, journal });
  const token = state.toString();
  for (const [nth, expected] of [[0, 'Done.'], [1, expect.any(JournalConflict)]] as const) {
    const restored = await RunState.fromString<undefined, Agent<any, any>>(agent, token);
    restored.approve(restored.getInterruptions()[0]!);
    const end = await run(agent, restored, { clock, journal }).then(({ finalOutput }) => finalOutput, (error: Error) => error);
    expect([nth, end, pay.runs]).toEqual([nth, expected, 1]);
  }
});
