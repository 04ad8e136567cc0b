/** C1, C2: the steps of one call, and what the model reads when one of them does not succeed. */
import { Agent, type ToolCallDetails, ToolCallError, type ToolOptions, tool } from 'loopchart';
import { answered, asked, calls, inputOf, says } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { MAY_HAVE_COMPLETED, counted, latch } from '../support/cast.ts';
import { play, type World } from '../support/scenario.ts';

const numbered = z.object({ n: z.number() });
type Options = Partial<ToolOptions<typeof numbered>>;

/** A tool called `work`; what a test is about is in the options. */
const work = (options: Options = {}) =>
  tool({ name: 'work', description: 'Works.', parameters: numbered, execute: ({ n }) => `worked ${n}`, ...options } as ToolOptions<typeof numbered>); // an option taken out of a union is still one of it

const worker = (world: World, options: Options, ...steps: Parameters<World['model']>) =>
  new Agent({ name: 'Worker', model: world.model(...steps), tools: [work(options)] });

const allow = { behavior: { type: 'allow' as const } };

test('C1: policy, input guardrails, hook, body, output guardrails and hook come in this order', async () => {
  const { value } = await play(async (world) => {
    const steps: string[] = [];
    const step = (name: string) => async () => {
      steps.push(name);
      return allow;
    };
    const agent = worker(world, {
      needsApproval: async () => (steps.push('policy'), false),
      inputGuardrails: [{ name: 'first', run: step('input 1') }, { name: 'second', run: step('input 2') }],
      outputGuardrails: [{ name: 'third', run: step('output 1') }, { name: 'fourth', run: step('output 2') }],
      execute: () => (steps.push('body'), 'done'),
    }, calls('work', { n: 1 }), says('Done.'));
    agent.on('agent_tool_start', () => steps.push('start'));
    agent.on('agent_tool_end', () => steps.push('end'));
    await world.run(agent, 'go');
    return steps;
  });
  expect(value).toEqual(['policy', 'input 1', 'input 2', 'start', 'body', 'output 1', 'output 2', 'end']);
});

test('C1: with preApprovalInputGuardrails, input guardrails look before the person is asked and again before the body', async () => {
  const { value, runs } = await play(async (world) => {
    const steps: string[] = [];
    const agent = worker(world, {
      needsApproval: true,
      inputGuardrails: [{ name: 'look', run: async () => (steps.push('guardrail'), allow) }],
      execute: () => (steps.push('body'), 'done'),
    }, calls('work', { n: 1 }), says('Done.'));
    const toolExecution = { preApprovalInputGuardrails: true };
    const waiting = await world.run(agent, 'go', { toolExecution });
    const before = [...steps];
    waiting.state.approve(waiting.state.getInterruptions()[0]!);
    await world.run(agent, waiting.state, { toolExecution });
    return { before, steps };
  });
  expect(value).toEqual({ before: ['guardrail'], steps: ['guardrail', 'guardrail', 'body'] });
  expect(runs.map(({ outcome }) => outcome)).toEqual(['waiting', 'completed']);
});

test('C1: a guardrail that objects before the approval spares the person', async () => {
  const { seen, requests } = await play(async (world) => {
    const objects = async () => ({ behavior: { type: 'rejectContent' as const, message: 'Not that.' } });
    const agent = worker(world, { needsApproval: true, inputGuardrails: [{ name: 'no', run: objects }] }, calls('work', { n: 1 }), says('Well.'));
    return world.run(agent, 'go', { toolExecution: { preApprovalInputGuardrails: true } });
  });
  expect(seen.outcome).toBe('completed');
  expect(requests[1]!.input).toEqual(inputOf('go', asked('work', { n: 1 }, 'call_1'), answered('call_1', 'Not that.')));
});

test('C1: a body gets its arguments as the schema made them, the context, the call, its id and a signal', async () => {
  const { value } = await play(async (world) => {
    const seen: unknown[] = [];
    const parse = tool({
      name: 'parse',
      description: 'Shows what it gets.',
      parameters: z.object({ at: z.string().transform((text) => text.length) }),
      execute: (input, context, details) => {
        seen.push(input, context?.context, details?.toolCall?.name, details?.callId, details?.effectId, details?.signal?.aborted);
        return '';
      },
    });
    await world.run(new Agent({ name: 'Worker', model: world.model(calls('parse', { at: 'four' }), says('Done.')), tools: [parse] }), 'go', { context: { user: 'u1' } });
    return seen;
  });
  expect(value).toEqual([{ at: 4 }, { user: 'u1' }, 'parse', 'call_1', 'run_test/agent.1/turn.1/toolCall.1.0/execute#1', false]);
});

const GENERIC = 'An error occurred while running the tool. Please try again.';
const WORDS: Record<string, { args?: unknown; name?: string; options?: Options; expected: string }> = {
  'arguments that are no JSON': { args: '{"n": 1', expected: 'An error occurred while parsing tool arguments. Please try again with valid JSON.' },
  'arguments that do not fit the schema': { args: { n: 'one' }, expected: GENERIC },
  'a tool that does not exist': { name: 'play', expected: "Tool 'play' not found." },
  'a body that throws': { options: { execute: () => { throw new Error('secret detail'); } }, expected: GENERIC },
  'an errorFunction that says more': { options: { execute: () => { throw new Error('disk full'); }, errorFunction: (_, error) => `Sorry: ${(error as Error).message}` }, expected: 'Sorry: disk full' },
};
for (const [trouble, { args = { n: 1 }, name = 'work', options = {}, expected }] of Object.entries(WORDS)) {
  test(`C2: ${trouble}: the model reads of it and the run goes on`, async () => {
    const { seen, requests } = await play(async (world) => world.run(worker(world, options, calls(name, args), says('I see.')), 'go'));
    expect([seen.outcome, seen.finalOutput]).toEqual(['completed', 'I see.']);
    expect(requests[1]!.input).toEqual(inputOf('go', asked(name, args, 'call_1'), answered('call_1', expected)));
  });
}

test('C2: a body that takes longer than its timeoutMs is told to stop, and the model reads that it timed out', async () => {
  const { seen, requests, value } = await play(async (world) => {
    let reason = '';
    const agent = worker(world, {
      timeoutMs: 2_000,
      execute: (_: unknown, __: unknown, details?: ToolCallDetails) => new Promise((_resolve, reject) => details!.signal!.addEventListener('abort', () => {
        reason = String(details!.signal!.reason);
        reject(details!.signal!.reason);
      })),
    }, calls('work', { n: 1 }), says('I see.'));
    const going = world.begin(agent, 'go');
    await going.until('tool.started');
    await world.clock.advance(2_000);
    await going.settled;
    return reason;
  });
  expect(value).toBe("ToolTimeoutError: Tool 'work' timed out after 2000ms.");
  expect(requests[1]!.input).toEqual(inputOf('go', asked('work', { n: 1 }, 'call_1'), answered('call_1', `Tool 'work' timed out after 2000ms. ${MAY_HAVE_COMPLETED}`)));
  expect(seen.outcome).toBe('completed');
});

test('C2: with timeoutBehavior raise_exception a timeout fails the run', async () => {
  const { seen } = await play(async (world) => {
    const going = world.begin(worker(world, { timeoutMs: 50, timeoutBehavior: 'raise_exception', execute: () => new Promise(() => undefined) }, calls('work', { n: 1 })), 'go');
    await going.until('tool.started');
    await world.clock.advance(50);
    return going.settled;
  });
  expect(seen.error).toEqual({ name: 'ToolTimeoutError', message: "Tool 'work' timed out after 50ms." });
});

test('C2: timeoutErrorFunction words a timeout; an errorFunction that throws fails the run', async () => {
  const late = await play(async (world) => {
    const going = world.begin(worker(world, { timeoutMs: 50, timeoutErrorFunction: (_: unknown, { timeoutMs }: { timeoutMs: number }) => `Not within ${timeoutMs} ms.`, execute: () => new Promise(() => undefined) }, calls('work', { n: 1 }), says('I see.')), 'go');
    await going.until('tool.started');
    await world.clock.advance(50);
    return going.settled;
  });
  expect(late.requests[1]!.input.at(-1)).toEqual(answered('call_1', `Not within 50 ms. ${MAY_HAVE_COMPLETED}`, 'work'));
  const broken = await play(async (world) => world.run(worker(world, { execute: () => { throw new Error('disk full'); }, errorFunction: () => { throw new Error('no words'); } }, calls('work', { n: 1 })), 'go'));
  expect(broken.seen.error).toEqual({ name: 'ToolCallError', message: 'Failed to run the tool "work": no words' });
});

test('C2: toolErrorFormatter words an unknown tool', async () => {
  const { requests, value } = await play(async (world) => {
    const kinds: unknown[] = [];
    await world.run(worker(world, {}, calls('play'), says('I see.')), 'go', {
      toolErrorFormatter: ({ kind, toolName, defaultMessage }) => {
        kinds.push([kind, toolName, defaultMessage]);
        return 'There is only work.';
      },
    });
    return kinds;
  });
  expect(requests[1]!.input).toEqual(inputOf('go', asked('play', {}, 'call_1'), answered('call_1', 'There is only work.')));
  expect(value).toEqual([['tool_not_found', 'play', "Tool 'play' not found."]]);
});

test('C2: toolNotFoundBehavior raise_error fails the run before any call of the response has run', async () => {
  const { seen, value } = await play(async (world) => {
    const tick = counted('tick');
    await world.run(new Agent({ name: 'Worker', model: world.model(calls(['tick'], ['play'])), tools: [tick.tool] }), 'go', { toolNotFoundBehavior: 'raise_error' });
    return tick.runs;
  });
  expect(seen.error).toEqual({ name: 'ModelBehaviorError', message: 'Tool play not found in agent Worker.' });
  expect(value).toBe(0);
});

test('C2: errorFunction null fails the run with a ToolCallError, after siblings were drained; their results are kept', async () => {
  const { seen, value } = await play(async (world) => {
    const slow = latch<string>();
    const bomb = new Error('disk full');
    const agent = new Agent({
      name: 'Worker',
      model: world.model(calls(['slow'], ['work', { n: 1 }])),
      tools: [counted('slow', () => slow.promise).tool, work({ errorFunction: null, execute: () => { throw bomb; } })],
    });
    const going = world.begin(agent, 'go');
    await going.until((event) => event.type === 'item.completed' && event.status === 'failed');
    const settledBefore = going.events.some(({ type }) => type === 'run.settled');
    slow.open('slowly done');
    const { thrown } = await going.settled;
    return { settledBefore, isClass: thrown instanceof ToolCallError, isCause: (thrown as ToolCallError).error === bomb };
  });
  expect(seen.error).toEqual({ name: 'ToolCallError', message: 'Failed to run the tool "work": disk full' });
  expect(value).toEqual({ settledBefore: false, isClass: true, isCause: true });
  expect(seen.story).toEqual(['Worker: calls slow {}', 'Worker: calls work {"n":1}', 'Worker: gets slow "slowly done"']);
});

test('C2: errorFunction null fails the run for arguments that do not fit, too', async () => {
  const { seen } = await play(async (world) => world.run(worker(world, { errorFunction: null }, calls('work', { n: 'one' })), 'go'));
  expect(seen.error?.name).toBe('ToolCallError');
  expect(seen.error?.message).toMatch(/^Failed to run the tool "work": Invalid input for tool 'work'/);
});
