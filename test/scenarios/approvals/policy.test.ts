/** M8: an approval policy as data: rules by tool and arguments, the first that fits decides; what is denied stays denied. */
import { Agent, type AgentOutputItem, type ApprovalPolicy, type ApprovalRule, ApprovalRules, MemoryJournal, Runner, UserError, applyPatchTool, askUser, computerTool, hostedMcpTool, run, shellTool, tool } from 'loopchart';
import { answered, calls, responds, says, scriptedModel } from 'loopchart/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { Execution } from '../../../actors/execution.ts';
import { counted, latch } from '../support/cast.ts';
import { editor, screen, shell } from '../support/hands.ts';
import { type Seen, type World, play } from '../support/scenario.ts';

const pay = (needsApproval: boolean) => tool({ name: 'pay', description: 'Pays.', parameters: z.object({ to: z.string(), sum: z.number() }), needsApproval, execute: ({ to, sum }) => `paid ${sum} to ${to}` });
const PAY = { to: 'Ada', sum: 5 };
const payDesk = (world: World, needsApproval: boolean) => new Agent({ name: 'Desk', model: world.model(calls('pay', PAY), says('Done.')), tools: [pay(needsApproval)] });
const saidTo = (seen: Seen) => (seen.outcome === 'waiting' ? 'waits' : seen.story[1]!.replace('Desk: gets pay ', ''));

/** What becomes of `pay {"to":"Ada","sum":5}`, of a tool that asks and of one that does not. */
async function under(approvalPolicy: ApprovalPolicy): Promise<string[]> {
  const { runs } = await play(async (world) => {
    for (const needsApproval of [true, false]) await world.run(payDesk(world, needsApproval), 'go', { approvalPolicy });
  });
  return runs.map(saidTo);
}
const [PAID, WAITS, DENIED] = ['"paid 5 to Ada"', 'waits', '"Tool execution was not approved."'];

test('M8: the first rule that fits allows, asks or denies, whatever the tool itself says; without one the tool says it', async () => {
  expect(await under({ rules: [] })).toEqual([WAITS, PAID]);
  expect(await under({ rules: [{ tool: 'pay', decision: 'allow' }] })).toEqual([PAID, PAID]);
  expect(await under({ rules: [{ tool: 'pay', decision: 'ask' }] })).toEqual([WAITS, WAITS]);
  expect(await under({ rules: [{ tool: 'pay', decision: 'deny' }] })).toEqual([DENIED, DENIED]);
  expect(await under({ rules: [{ tool: 'pay', decision: 'deny', reason: 'Nobody pays here.' }] })).toEqual(['"Nobody pays here."', '"Nobody pays here."']);
  expect(await under({ rules: [{ tool: 'pay', decision: 'ask' }, { tool: '*', decision: 'deny' }] })).toEqual([WAITS, WAITS]);
  expect(await under({ rules: [{ tool: 'other', decision: 'deny' }] })).toEqual([WAITS, PAID]);
});

test('M8: otherwise says what holds where no rule fits', async () => {
  const rules: ApprovalRule[] = [{ tool: 'other', decision: 'deny' }];
  expect(await under({ rules, otherwise: 'allow' })).toEqual([PAID, PAID]);
  expect(await under({ rules, otherwise: 'ask' })).toEqual([WAITS, WAITS]);
  expect(await under({ rules, otherwise: 'deny' })).toEqual([DENIED, DENIED]);
  expect(await under({ rules, otherwise: 'tool' })).toEqual([WAITS, PAID]);
});

test('M8: rules speak of agents and of arguments by their paths; all that they say has to fit', async () => {
  const fits = async (rule: Omit<ApprovalRule, 'decision'>) => (await under({ rules: [{ ...rule, decision: 'deny' }] }))[1] === DENIED;
  const cases: [Omit<ApprovalRule, 'decision'>, boolean][] = [
    [{ tool: 'p*' }, true], [{ tool: '*y' }, true], [{ tool: '*' }, true], [{ tool: 'pa' }, false], [{ tool: { regex: 'a' } }, true], [{ tool: { regex: '^a' } }, false],
    [{ tool: 'pay', agent: 'D*k' }, true], [{ tool: 'pay', agent: 'Clerk' }, false],
    [{ tool: 'pay', arguments: { to: 'A*' } }, true], [{ tool: 'pay', arguments: { to: 'a*' } }, false], [{ tool: 'pay', arguments: { to: { regex: '^A.a$' } } }, true],
    [{ tool: 'pay', arguments: { sum: 5 } }, true], [{ tool: 'pay', arguments: { sum: 6 } }, false], [{ tool: 'pay', arguments: { sum: '5' } }, true],
    [{ tool: 'pay', arguments: { to: '*', sum: 6 } }, false], [{ tool: 'pay', arguments: { nothing: '*' } }, false], [{ tool: 'pay', arguments: { 'to.length': '*' } }, false],
    [{ tool: 'pay', server: 'shop' }, false], [{ tool: 'pay', server: '' }, true],
  ];
  for (const [rule, expected] of cases) expect([rule, await fits(rule)]).toEqual([rule, expected]);
});

const shellCall = (callId: string, ...commands: string[]): AgentOutputItem => ({ type: 'shell_call', callId, status: 'completed', action: { commands } });
const patchCall = (callId: string, path: string, moveTo?: string): AgentOutputItem => ({ type: 'apply_patch_call', callId, status: 'completed', operation: { type: 'update_file', path, diff: '', ...(moveTo && { moveTo }) } });
const screenCall = (callId: string, ...actions: ({ type: 'screenshot' } | { type: 'type'; text: string })[]): AgentOutputItem => ({ type: 'computer_call', callId, status: 'completed', actions });

test('M8: shell, patch and computer calls: of several commands, files and actions one is enough to ask or deny, and all have to fit to allow', async () => {
  const log: string[] = [];
  const all = [
    shellCall('git', 'git status', 'git log'), shellCall('mixed', 'git status', 'make'), shellCall('rm', 'git status', 'rm -rf /'),
    patchCall('inside', 'src/a.ts'), patchCall('moved', 'src/a.ts', '/etc/passwd'),
    screenCall('looks', { type: 'screenshot' }), screenCall('types', { type: 'screenshot' }, { type: 'type', text: 'rm' }),
  ];
  const approvalPolicy: ApprovalPolicy = {
    rules: [
      { tool: 'shell', arguments: { commands: { regex: '\\brm\\b' } }, decision: 'deny', reason: 'No rm.' },
      { tool: 'shell', arguments: { commands: 'git *' }, decision: 'allow' },
      { tool: 'apply_patch', arguments: { path: 'src/*', type: 'update_file' }, decision: 'allow' },
      { tool: 'computer_use_preview', arguments: { 'actions.type': 'screenshot' }, decision: 'allow' },
    ],
    otherwise: 'ask',
  };
  const { seen } = await play(async (world) => {
    log.length = 0;
    const tools = [shellTool({ shell: shell(log) }), applyPatchTool({ editor: editor(log) }), computerTool({ computer: screen(log) })];
    return world.run(new Agent({ name: 'Hand', model: world.model(responds(...all)), tools }), 'go', { approvalPolicy });
  });
  expect(seen.state.getInterruptions().map(({ rawItem }) => ('callId' in rawItem ? rawItem.callId : ''))).toEqual(['mixed', 'moved', 'types']);
  expect(log.slice().sort()).toEqual(['$ git log', '$ git status', 'screenshot', 'update_file src/a.ts']);
  expect(seen.state.look().newItems.find(({ rawItem }) => 'callId' in rawItem && rawItem.callId === 'rm' && rawItem.type === 'shell_call_output')?.rawItem).toMatchObject({ output: [{ stderr: 'No rm.' }] });
});

test('M8: requests of hosted MCP servers, by the tool, the server and the arguments that they ask about', async () => {
  const of = (id: string, server: string, what: string): AgentOutputItem => ({
    type: 'hosted_tool_call', id, name: 'mcp_approval_request', status: 'in_progress', providerData: { type: 'mcp_approval_request', id, server_label: server, name: 'buy', arguments: JSON.stringify({ what }) },
  });
  const { seen, requests } = await play(async (world) => {
    const tools = ['shop', 'bank'].map((serverLabel) => hostedMcpTool({ serverLabel, serverUrl: `https://${serverLabel}.example/mcp`, requireApproval: 'always' }));
    const agent = new Agent({ name: 'Buyer', model: world.model(responds(of('1', 'shop', 'milk'), of('2', 'shop', 'car'), of('3', 'bank', 'milk')), says('Done.')), tools });
    const approvalPolicy: ApprovalPolicy = { rules: [{ tool: 'buy', server: 'shop', arguments: { what: 'milk' }, decision: 'allow' }, { tool: 'buy', server: 'bank', decision: 'deny' }] };
    const waiting = await world.run(agent, 'go', { approvalPolicy });
    const [item] = waiting.state.getInterruptions();
    waiting.state.reject(item!, { message: 'Too dear.' });
    return world.run(agent, waiting.state, { approvalPolicy });
  });
  expect(seen.outcome).toBe('completed');
  expect(requests[1]!.input.slice(-3).map((item) => item.providerData?.['approve'])).toEqual([true, false, false]);
});

test('D2, M8: the order: what the policy denies, then what was decided for always, then the rest of the policy, then the tool', async () => {
  const always = async (sticky: 'approve' | 'reject', rule: ApprovalRule['decision']) => {
    const { runs } = await play(async (world) => {
      const agent = new Agent({ name: 'Desk', model: world.model(calls('pay', PAY), calls('pay', PAY), says('Done.')), tools: [pay(true)] });
      const { state } = await world.run(agent, 'go');
      const [item] = state.getInterruptions();
      if (sticky === 'approve') state.approve(item!, { alwaysApprove: true });
      else state.reject(item!, { alwaysReject: true, message: 'Never.' });
      return world.run(agent, state, { approvalPolicy: { rules: [{ tool: 'pay', decision: rule, reason: 'House rule.' }] } });
    });
    return runs[1]!.story.filter((line) => line.includes('gets pay')).map((line) => line.replace('Desk: gets pay ', ''));
  };
  // The first call was decided by itself, before: that stands.
  expect(await always('approve', 'ask')).toEqual([PAID, PAID]);
  expect(await always('approve', 'deny')).toEqual([PAID, '"House rule."']);
  expect(await always('reject', 'allow')).toEqual(['"Never."', '"Never."']);
  expect(await always('reject', 'ask')).toEqual(['"Never."', '"Never."']);
});

test('D2, M8: edited arguments are held against what the policy denies', async () => {
  const { runs } = await play(async (world) => {
    const approvalPolicy: ApprovalPolicy = { rules: [{ tool: 'pay', arguments: { to: 'Eve' }, decision: 'deny', reason: 'Not to Eve.' }] };
    const agent = payDesk(world, true);
    const { state } = await world.run(agent, 'go', { approvalPolicy });
    state.approve(state.getInterruptions()[0]!, { arguments: { to: 'Eve', sum: 5 } });
    return world.run(agent, state, { approvalPolicy });
  });
  expect(runs[1]!.story[1]).toBe('Desk: gets pay "Not to Eve."');
});

test('D6, M8: nested agents cannot escape it: the policy holds at every depth, one of their own takes its place, and what is denied further out stays denied', async () => {
  const at = async (outer: ApprovalPolicy | undefined, own?: ApprovalPolicy) => {
    const { seen } = await play(async (world) => {
      const cashier = new Agent({ name: 'Cashier', model: world.model(calls('pay', PAY), says('paid')), tools: [pay(false)] });
      const clerk = new Agent({ name: 'Clerk', model: world.model(calls('Cashier', { input: 'pay' }), says('paid')), tools: [cashier.asTool({ ...(own && { runOptions: { approvalPolicy: own } }) })] });
      const agent = new Agent({ name: 'Desk', model: world.model(calls('Clerk', { input: 'pay' }), says('Done.')), tools: [clerk.asTool({})] });
      return world.run(agent, 'go', { ...(outer && { approvalPolicy: outer }) });
    });
    const inner = seen.events.find((event) => event.type === 'item.completed' && event.agent === 'Cashier' && event.item?.type === 'function_call_result');
    return seen.outcome === 'waiting' ? seen.interruptions.map(({ name, path }) => [name, path.length]) : inner?.type === 'item.completed' ? inner.status : 'none';
  };
  const ruling = (decision: ApprovalRule['decision']): ApprovalPolicy => ({ rules: [{ tool: 'pay', decision }] });
  expect(await at(undefined)).toBe('completed');
  expect(await at(ruling('ask'))).toEqual([['pay', 3]]);
  expect(await at(ruling('deny'))).toBe('declined');
  expect(await at(undefined, ruling('ask'))).toEqual([['pay', 3]]);
  expect(await at(ruling('ask'), ruling('allow'))).toBe('completed');
  expect(await at(ruling('deny'), ruling('allow'))).toBe('declined');
  expect(await at({ rules: [], otherwise: 'ask' }, ruling('allow'))).toEqual([['Clerk', 1]]);
});

test('M8: an agent that is used as a tool is a tool: it can be denied as one', async () => {
  const { seen, requests } = await play(async (world) => {
    const clerk = new Agent({ name: 'Clerk', model: world.model() });
    const agent = new Agent({ name: 'Desk', model: world.model(calls('Clerk', { input: 'pay' }), says('Fine.')), tools: [clerk.asTool({})] });
    return world.run(agent, 'go', { approvalPolicy: { rules: [{ tool: 'Clerk', decision: 'deny', reason: 'No clerks.' }] } });
  });
  expect([seen.outcome, requests[1]!.input.at(-1)]).toEqual(['completed', answered('call_1', 'No clerks.', 'Clerk')]);
});

test('M8, D8: a question can be denied; a rule that asks asks it, and nothing answers it but an answer', async () => {
  const QUESTION = { questions: [{ question: 'Why?' }] };
  for (const [decision, expected] of [['deny', 'completed'], ['ask', 'waiting'], ['allow', 'waiting']] as const) {
    const { seen } = await play(async (world) =>
      world.run(new Agent({ name: 'Desk', model: world.model(calls('ask_user', QUESTION), says('Fine.')), tools: [askUser] }), 'go', { approvalPolicy: { rules: [{ tool: 'ask_user', decision }] } }));
    expect([decision, seen.outcome]).toEqual([decision, expected]);
    if (seen.outcome === 'waiting') expect(seen.interruptions[0]!.id).toMatch(/question#1$/);
  }
});

test('C1, D3, M8: what cannot run reaches no policy; what the policy denies reaches no guardrail and no person, what it asks is screened first', async () => {
  const looked: string[] = [];
  const guarded = { ...pay(false), inputGuardrails: [{ type: 'tool_input' as const, name: 'look', run: async ({ toolCall }: { toolCall: { callId: string } }) => (looked.push(toolCall.callId), { behavior: { type: 'allow' as const } }) }] };
  const { seen } = await play(async (world) => {
    looked.length = 0;
    const agent = new Agent({ name: 'Desk', model: world.model(calls(['pay', { to: 'Ada' }], ['pay', { to: 'Eve', sum: 1 }], ['pay', PAY])), tools: [guarded] });
    const rules: ApprovalRule[] = [{ tool: 'pay', arguments: { to: 'Eve' }, decision: 'deny' }, { tool: 'pay', decision: 'ask' }];
    return world.run(agent, 'go', { approvalPolicy: { rules }, toolExecution: { preApprovalInputGuardrails: true } });
  });
  expect([looked, seen.interruptions.map(({ arguments: args }) => args)]).toEqual([['call_3'], [JSON.stringify(PAY)]]);
  expect(seen.story.slice(3, 5)).toEqual(['Desk: gets pay "An error occurred while running the tool. Please try again."', 'Desk: gets pay "Tool execution was not approved."']);
});

test('M8: the runner says it for all of its runs, and a run for itself', async () => {
  const { runs } = await play(async (world) => {
    const runner = new Runner({ approvalPolicy: { rules: [{ tool: 'pay', decision: 'deny' }] } });
    await world.run(payDesk(world, true), 'go', { runner });
    await world.run(payDesk(world, true), 'go', { runner, approvalPolicy: { rules: [{ tool: 'pay', decision: 'allow' }] } });
  });
  expect(runs.map(saidTo)).toEqual([DENIED, PAID]);
});

test('M8, O1: which rule decided is recorded; a replay asks no rule', async () => {
  const { value } = await play(async (world) => {
    const journal = new MemoryJournal();
    const agent = payDesk(world, true);
    await world.run(agent, 'go', { journal, approvalPolicy: { rules: [{ id: 'small sums', tool: 'pay', decision: 'allow' }] } });
    const again = await world.resume('run_test', { journal, agents: agent, approvalPolicy: { rules: [{ tool: 'pay', decision: 'deny' }] } });
    return { verdicts: journal.read('run_test').flatMap((entry) => (entry.type === 'effect.done' && entry.id.includes('/approvalPolicy#') ? [entry.outcome] : [])), output: again.finalOutput };
  });
  expect(value).toEqual({ verdicts: [{ status: 'ok', value: { approval: 'granted', rule: 'small sums' } }], output: 'Done.' });
});

test('D6, M8: a run with a policy does not go on without one, whether it waits or has ended', async () => {
  const policy: ApprovalPolicy = { rules: [{ tool: 'pay', decision: 'ask' }] };
  const agent = new Agent({ name: 'Desk', model: scriptedModel(calls('pay', PAY), says('Done.')), tools: [pay(false)] });
  const { state } = await run(agent, 'go', { approvalPolicy: policy });
  state.approve(state.getInterruptions()[0]!);
  const text = 'This run has an approval policy. Pass it again, as the option `approvalPolicy`, to go on with it; one without rules says that it has none any more.';
  await expect(run(agent, state)).rejects.toThrow(new UserError(text));
  expect((await run(agent, state, { approvalPolicy: { rules: [] } })).finalOutput).toBe('Done.');

  const failing = new Agent({ name: 'Desk', model: scriptedModel(calls('pay', PAY), says('Done.')), tools: [pay(false)] });
  const failed = await run(failing, 'go', { approvalPolicy: { rules: [{ tool: 'pay', decision: 'allow' }] }, maxTurns: 1 }).catch((error: { state: Parameters<typeof run>[1] }) => error.state);
  await expect(run(failing, failed as never, { maxTurns: 2 })).rejects.toThrow(new UserError(text));
  expect((await run(failing, failed as never, { maxTurns: 2, approvalPolicy: policy })).finalOutput).toBe('Done.');
});

test('M8, D2: rules are added while a run goes on: they hold for what comes, and for what waits when it is gone on with; they are taken away again', async () => {
  const { runs, value } = await play(async (world) => {
    const rules = new ApprovalRules({ rules: [{ tool: 'pay', arguments: { to: 'Eve' }, decision: 'deny', reason: 'Not to Eve.' }, { tool: 'pay', decision: 'ask' }] });
    const steps = [calls(['pay', PAY], ['pay', { to: 'Bob', sum: 6 }], ['look']), calls(['pay', { to: 'Cid', sum: 7 }], ['pay', { to: 'Eve', sum: 8 }]), calls('pay', { to: 'Dan', sum: 9 })] as const;
    const agent = new Agent({ name: 'Desk', model: world.model(...steps), tools: [pay(false), counted('look', 'seen', { needsApproval: true }).tool] });
    const first = await world.run(agent, 'go', { approvalPolicy: rules });
    const [payment, , look] = first.state.getInterruptions();
    const id = rules.add(ApprovalRules.ruleFor(payment!));
    first.state.approve(payment!);
    first.state.approve(look!);
    const counts = [rules.list.length, rules.session.length];
    agent.on('agent_turn_end', (context) => { if (context.usage.requests === 2) rules.remove(id); });
    const second = await world.run(agent, first.state, { approvalPolicy: rules });
    return { counts, waits: second.interruptions.map(({ arguments: args }) => args), removed: [rules.session.length, rules.remove(id)] };
  });
  expect(value).toEqual({ counts: [3, 1], waits: ['{"to":"Dan","sum":9}'], removed: [0, false] });
  expect(runs[1]!.story.filter((line) => line.includes('gets')).map((line) => line.replace('Desk: gets ', ''))).toEqual([
    'pay "paid 5 to Ada"', 'pay "paid 6 to Bob"', 'look "seen"', 'pay "paid 7 to Cid"', 'pay "Not to Eve."',
  ]);
});

test('M8: a rule that denies, added while calls wait, rejects them when the run goes on; what a person decided itself stands', async () => {
  const { runs } = await play(async (world) => {
    const rules = new ApprovalRules();
    const agent = new Agent({ name: 'Desk', model: world.model(calls(['pay', PAY], ['pay', { to: 'Bob', sum: 6 }]), says('Done.')), tools: [pay(true)] });
    const { state } = await world.run(agent, 'go', { approvalPolicy: rules });
    const [first, second] = state.getInterruptions();
    state.approve(first!);
    rules.add(ApprovalRules.ruleFor(second!, 'deny', 'No more payments.'));
    return world.run(agent, state, { approvalPolicy: rules });
  });
  expect(runs[1]!.story.slice(2)).toEqual(['Desk: gets pay "paid 5 to Ada"', 'Desk: gets pay "No more payments."', 'Desk: says "Done."']);
});

test('M8: told that a rule was added, a run that is going lets go on what waits', async () => {
  const { seen, value } = await play(async (world) => {
    const held = latch<string>();
    const rules = new ApprovalRules();
    const agent = new Agent({ name: 'Desk', model: world.model(calls(['pay', PAY], ['pay', { to: 'Bob', sum: 6 }], ['slow']), says('Done.')), tools: [pay(true), counted('slow', () => held.promise).tool] });
    const going = world.begin(agent, 'go', { approvalPolicy: rules });
    await going.until((event) => event.type === 'approval.requested' && event.call.index === 1);
    const state = await going.state;
    const [first] = state.getInterruptions();
    rules.add(ApprovalRules.ruleFor(first!));
    await (state.source as Execution).reconsider(); // a run that is going is one
    await going.until((event) => event.type === 'tool.started' && event.call.index === 1);
    const waiting = state.getInterruptions().length;
    held.open('slow');
    await going.settled;
    return waiting;
  }, { only: 'streamed' });
  expect([seen.finalOutput, value]).toEqual(['Done.', 0]);
});
