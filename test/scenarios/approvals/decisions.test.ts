/** D2, D4: what a person can decide, when, and what a decision binds to. */
import { Agent, RunState, RunToolApprovalItem, StaleStateError, UserError, tool } from 'loopchart';
import { answered, asked, calls, inputOf, says } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { MAY_HAVE_COMPLETED, counted, latch, refund } from '../support/cast.ts';
import { type World, play } from '../support/scenario.ts';

const desk = (world: World, ...steps: Parameters<World['model']>) => new Agent({ name: 'Desk', model: world.model(...steps), tools: [refund] });
const onlyOne = (state: RunState<any, any>) => state.getInterruptions()[0]!;
const refused = (attempt: () => void): unknown => {
  try {
    attempt();
    return 'accepted';
  } catch (error) {
    return (error as Error).constructor;
  }
};

test('D2: rejected with a message: the model reads it, the body does not run', async () => {
  const { runs, requests } = await play(async (world) => {
    const agent = desk(world, calls('refund', { order: 7 }), says('Understood.'));
    const waiting = await world.run(agent, 'go');
    waiting.state.reject(onlyOne(waiting.state), { message: 'Too much.' });
    return world.run(agent, waiting.state);
  });
  expect(runs[1]!.finalOutput).toBe('Understood.');
  expect(requests[1]!.input).toEqual(inputOf('go', asked('refund', { order: 7 }, 'call_1'), answered('call_1', 'Too much.')));
});

test('D2: rejected without a message: the general words, or those of toolErrorFormatter', async () => {
  for (const [options, expected] of [
    [{}, 'Tool execution was not approved.'],
    [{ toolErrorFormatter: ({ kind, toolName }: { kind: string; toolName: string }) => `${kind} ${toolName}` }, 'approval_rejected refund'],
  ] as const) {
    const { requests } = await play(async (world) => {
      const agent = desk(world, calls('refund', { order: 7 }), says('Understood.'));
      const waiting = await world.run(agent, 'go', options);
      waiting.state.reject(onlyOne(waiting.state));
      return world.run(agent, waiting.state, options);
    });
    expect(requests[1]!.input.at(-1)).toEqual(answered('call_1', expected, 'refund'));
  }
});

test('D2: edited arguments are the ones that are checked, guarded and carried out; the item keeps what the model wrote, the result says what was changed', async () => {
  const { runs, requests, value } = await play(async (world) => {
    const guarded: string[] = [];
    const watched = tool({
      ...{ name: 'refund', description: 'Pays money back.', parameters: z.object({ order: z.number() }), needsApproval: true },
      inputGuardrails: [{ name: 'look', run: async ({ toolCall }) => (guarded.push(toolCall.arguments), { behavior: { type: 'allow' } }) }],
      execute: ({ order }) => `refunded ${order}`,
    });
    const agent = new Agent({ name: 'Desk', model: world.model(calls('refund', { order: 7 }), says('Done.')), tools: [watched] });
    const waiting = await world.run(agent, 'go');
    waiting.state.approve(onlyOne(waiting.state), { arguments: { order: 8 } });
    await world.run(agent, waiting.state);
    return guarded;
  });
  expect(value).toEqual(['{"order":8}']);
  expect(requests[1]!.input).toEqual(inputOf(
    'go', asked('refund', { order: 7 }, 'call_1'), answered('call_1', 'refunded 8\n\nA person changed the arguments of this call before it ran: {"order":8}'),
  ));
  expect(runs[1]!.outcome).toBe('completed');
});

test('D2: edited arguments that do not fit the schema are an error the model reads; the body does not run', async () => {
  const { requests, runs } = await play(async (world) => {
    const agent = desk(world, calls('refund', { order: 7 }), says('Oh.'));
    const waiting = await world.run(agent, 'go');
    waiting.state.approve(onlyOne(waiting.state), { arguments: '{"order":"all"}' });
    return world.run(agent, waiting.state);
  });
  expect(requests[1]!.input.at(-1)).toEqual(answered('call_1', 'An error occurred while running the tool. Please try again.', 'refund'));
  expect(runs[1]!.events.some(({ type }) => type === 'tool.started')).toBe(false);
});

test('D2: approved for always: this agent, this tool, this run and its resumes', async () => {
  const { runs } = await play(async (world) => {
    const agent = desk(world, calls('refund', { order: 1 }), calls(['refund', { order: 2 }], ['refund', { order: 3 }]), says('Done.'));
    const waiting = await world.run(agent, 'go');
    waiting.state.approve(onlyOne(waiting.state), { alwaysApprove: true });
    return world.run(agent, waiting.state);
  });
  expect(runs.map(({ outcome }) => outcome)).toEqual(['waiting', 'completed']);
});

test('D2: rejected for always: later calls are rejected with the same message, and nobody is asked', async () => {
  const { runs, requests } = await play(async (world) => {
    const agent = desk(world, calls('refund', { order: 1 }), calls('refund', { order: 2 }), says('Fine.'));
    const waiting = await world.run(agent, 'go');
    waiting.state.reject(onlyOne(waiting.state), { alwaysReject: true, message: 'No refunds.' });
    return world.run(agent, waiting.state);
  });
  expect(runs[1]!.finalOutput).toBe('Fine.');
  expect(requests[2]!.input.at(-1)).toEqual(answered('call_2', 'No refunds.', 'refund'));
});

test('D2: always reaches the calls that wait already, and beats nothing that was decided about one call', async () => {
  const { runs } = await play(async (world) => {
    const agent = desk(world, calls(['refund', { order: 1 }], ['refund', { order: 2 }], ['refund', { order: 3 }]), says('Done.'));
    const { state } = await world.run(agent, 'go');
    const [first, second] = state.getInterruptions();
    state.reject(second!, { message: 'Not the second.' });
    state.approve(first!, { alwaysApprove: true });
    return world.run(agent, state);
  });
  expect(runs[1]!.story.slice(3)).toEqual(['Desk: gets refund "refunded 1"', 'Desk: gets refund "Not the second."', 'Desk: gets refund "refunded 3"', 'Desk: says "Done."']);
});

test('D2: always holds for one agent: neither another agent with the same tool nor a nested one inherits it', async () => {
  const { runs } = await play(async (world) => {
    const inner = new Agent({ name: 'Clerk', model: world.model(calls('refund', { order: 2 })), tools: [refund] });
    const agent = new Agent({ name: 'Desk', model: world.model(calls('refund', { order: 1 }), calls(['Clerk', { input: 'go' }], ['refund', { order: 3 }])), tools: [refund, inner.asTool({})] });
    const { state } = await world.run(agent, 'go');
    state.approve(onlyOne(state), { alwaysApprove: true });
    return world.run(agent, state);
  });
  expect(runs[1]!.interruptions.map(({ arguments: args }) => args)).toEqual(['{"order":2}']);
});

test('D2: a decision for always survives the text of a state', async () => {
  const { runs } = await play(async (world) => {
    const agent = new Agent({ name: 'Desk', model: world.model(calls('refund', { order: 1 }), calls(['refund', { order: 2 }], ['pay']), says('Done.')), tools: [refund, counted('pay', 'paid', { needsApproval: true }).tool] });
    const { state } = await world.run(agent, 'go');
    state.approve(onlyOne(state), { alwaysApprove: true });
    const second = await world.run(agent, state);
    const again = await RunState.fromString<undefined, Agent<any, any>>(agent, second.state.toString());
    again.approve(onlyOne(again));
    return world.run(agent, again);
  });
  expect(runs.map(({ interruptions }) => interruptions.map(({ name }) => name))).toEqual([['refund'], ['pay'], []]);
});

test('D2: what was decided before a state was saved is decided when it goes on', async () => {
  const { runs } = await play(async (world) => {
    const agent = desk(world, calls(['refund', { order: 1 }], ['refund', { order: 2 }]), says('Done.'));
    const { state } = await world.run(agent, 'go');
    const [first, second] = state.getInterruptions();
    state.approve(first!, { arguments: { order: 11 } });
    state.reject(second!, { message: 'No.' });
    return world.run(agent, await RunState.fromString<undefined, Agent<any, any>>(agent, state.toString()));
  });
  expect(runs[1]!.story.slice(2)).toEqual([
    'Desk: gets refund "refunded 11\\n\\nA person changed the arguments of this call before it ran: {\\"order\\":11}"', 'Desk: gets refund "No."', 'Desk: says "Done."',
  ]);
});

test('D2: until the run goes on, a later decision about a call takes the place of an earlier one', async () => {
  const { runs } = await play(async (world) => {
    const agent = desk(world, calls('refund', { order: 1 }), says('Done.'));
    const { state } = await world.run(agent, 'go');
    state.approve(onlyOne(state));
    state.reject(onlyOne(state), { message: 'On second thoughts, no.' });
    return world.run(agent, state);
  });
  expect(runs[1]!.story[1]).toBe('Desk: gets refund "On second thoughts, no."');
});

test('D2: rejected with interrupt, the call keeps its message and the run ends there, at once or when it goes on', async () => {
  const paused = await play(async (world) => {
    const agent = desk(world, calls(['refund', { order: 1 }], ['refund', { order: 2 }]));
    const { state } = await world.run(agent, 'go');
    state.reject(onlyOne(state), { message: 'Stop everything.', interrupt: true });
    return world.run(agent, await RunState.fromString<undefined, Agent<any, any>>(agent, state.toString()));
  });
  const live = await play(async (world) => {
    const forever = latch();
    const agent = new Agent({ name: 'Desk', model: world.model(calls(['refund', { order: 1 }], ['slow'])), tools: [refund, counted('slow', () => forever.promise).tool] });
    const going = world.begin(agent, 'go');
    const state = await going.state;
    await going.until('approval.requested');
    state.reject(onlyOne(state), { message: 'Stop everything.', interrupt: true });
    await world.clock.runAll();
    return going.settled;
  }, { only: 'streamed' });
  for (const { seen, rest } of [{ seen: paused.seen, rest: 'refund "aborted by user after 0.0s"' }, { seen: live.seen, rest: `slow "aborted by user after 0.0s. ${MAY_HAVE_COMPLETED}"` }]) {
    expect(seen.outcome).toBe('interrupted');
    expect(seen.story.slice(2, 4)).toEqual(['Desk: gets refund "Stop everything."', `Desk: gets ${rest}`]);
  }
});

test('D2: decisions on the context count, as in the Agents SDK', async () => {
  const { runs } = await play(async (world) => {
    const agent = desk(world, calls('refund', { order: 1 }), says('Done.'));
    const { state } = await world.run(agent, 'go');
    state.runContext.approveTool(onlyOne(state));
    return world.run(agent, state);
  });
  expect(runs.map(({ outcome }) => outcome)).toEqual(['waiting', 'completed']);
});

test('D4: a decision on a live stream takes effect at once', async () => {
  const { seen } = await play(async (world) => {
    const slow = latch<string>();
    const agent = new Agent({ name: 'Desk', model: world.model(calls(['refund', { order: 7 }], ['slow']), says('Done.')), tools: [refund, counted('slow', () => slow.promise).tool] });
    const going = world.begin(agent, 'go');
    await going.until('approval.requested');
    const state = await going.state;
    state.approve(onlyOne(state));
    await going.until((event) => event.type === 'tool.started' && event.call.name === 'refund');
    slow.open('slow');
    return going.settled;
  }, { only: 'streamed' });
  expect([seen.outcome, seen.finalOutput]).toEqual(['completed', 'Done.']);
});

test('D2, D4: on a live stream, always lets the others that wait go too', async () => {
  const { seen } = await play(async (world) => {
    const slow = latch<string>();
    const agent = new Agent({ name: 'Desk', model: world.model(calls(['refund', { order: 1 }], ['refund', { order: 2 }], ['slow']), says('Done.')), tools: [refund, counted('slow', () => slow.promise).tool] });
    const going = world.begin(agent, 'go');
    const state = await going.state;
    await going.until((event) => event.type === 'approval.requested' && event.call.index === 1);
    state.approve(onlyOne(state), { alwaysApprove: true });
    await going.until((event) => event.type === 'item.completed' && event.id.endsWith('1.1'));
    slow.open('slow');
    return going.settled;
  }, { only: 'streamed' });
  expect(seen.finalOutput).toBe('Done.');
});

/** The call as a watcher knows it before it waits. */
function announced(going: { events: readonly { type: string }[] }, agent: Agent<any, any>, index: number, edit: object = {}): RunToolApprovalItem {
  const started = going.events.filter(({ type }) => type === 'item.started')[index] as unknown as { id: string; item: any };
  return new RunToolApprovalItem({ ...started.item, ...edit }, agent, 'pay', { id: `${started.id}/approval#1`, path: [started.id] });
}

test('D4: a decision for a call that is announced but does not wait yet is kept for it', async () => {
  const { seen, value } = await play(async (world) => {
    const policy = latch<boolean>();
    const pay = counted('pay', 'paid');
    const agent = new Agent({ name: 'Desk', model: world.model(calls('pay'), says('Done.')), tools: [{ ...pay.tool, needsApproval: () => policy.promise }] });
    const going = world.begin(agent, 'go');
    const state = await going.state;
    await going.until('item.started');
    state.approve(announced(going, agent, 0));
    const before = pay.runs;
    policy.open(true);
    await going.settled;
    return [before, pay.runs];
  }, { only: 'streamed' });
  expect([seen.finalOutput, value]).toEqual(['Done.', [0, 1]]);
});

test('D4: an unknown call is refused as unknown; a settled one, and any after an interrupt, as stale; nothing changes', async () => {
  const { value } = await play(async (world) => {
    const slow = latch<string>();
    const agent = new Agent({ name: 'Desk', model: world.model(calls(['pay'], ['slow'])), tools: [counted('pay', 'paid', { needsApproval: true }).tool, counted('slow', () => slow.promise).tool] });
    const going = world.begin(agent, 'go');
    const state = await going.state;
    await going.until('approval.requested');
    const pay = onlyOne(state);
    const foreign = new RunToolApprovalItem(pay.rawItem, agent, 'pay', { id: 'run_other/agent.1/turn.1/toolCall.1.0/approval#1', path: [] });
    const unknown = refused(() => state.approve(foreign)) === UserError;
    state.approve(pay);
    const again = refused(() => state.reject(pay)) === StaleStateError;
    await going.until((event) => event.type === 'item.completed' && event.id.endsWith('1.0'));
    const settled = refused(() => state.approve(pay)) === StaleStateError;
    const entries = state.source.entries.length;
    going.interrupt();
    await world.clock.runAll();
    await going.settled;
    const after = refused(() => state.approve(pay)) === StaleStateError;
    return { unknown, again, settled, after, added: state.source.entries.slice(entries).map(({ type }) => type), decisions: state.runContext.decisions.length };
  }, { only: 'streamed' });
  expect(value).toEqual({ unknown: true, again: true, settled: true, after: true, added: ['command', 'run.rest'], decisions: 1 });
});

test('D4: an interrupt withdraws what waits: it is resolved, and later decisions are stale', async () => {
  const { seen, value } = await play(async (world) => {
    const forever = latch();
    const agent = new Agent({ name: 'Desk', model: world.model(calls(['slow'], ['refund', { order: 7 }])), tools: [refund, counted('slow', () => forever.promise).tool] });
    const going = world.begin(agent, 'go', { graceMs: 0 });
    const state = await going.state;
    await going.until('approval.requested');
    const item = onlyOne(state);
    going.interrupt();
    await world.clock.runAll();
    const { interruptions } = await going.settled;
    return [interruptions, refused(() => state.approve(item)) === StaleStateError];
  }, { only: 'streamed' });
  expect(value).toEqual([[], true]);
  expect(seen.events.flatMap((event) => (event.type === 'approval.resolved' ? [event.decision] : []))).toEqual(['withdrawn']);
});
