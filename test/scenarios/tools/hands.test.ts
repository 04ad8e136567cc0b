/** C3, C10: screens, shells and editors, through the ports of the app. */
import { Agent, type AgentOutputItem, type Computer, applyPatchTool, computerTool, shellTool } from 'loopchart';
import { calls, fails, hangs, responds, says } from 'loopchart/testing';
import { expect, test, vi } from 'vitest';
import { counted, latch } from '../support/cast.ts';
import { editor, screen, shell } from '../support/hands.ts';
import { play, type World } from '../support/scenario.ts';

const SHOT = 'data:image/png;base64,cGl4ZWxz';
type Action = Extract<AgentOutputItem, { type: 'computer_call' }>['action'];
const screenCall = (...actions: NonNullable<Action>[]): AgentOutputItem => ({ type: 'computer_call', callId: 'call_screen', status: 'completed', actions });
const shellCall = (callId: string, ...commands: string[]): AgentOutputItem => ({ type: 'shell_call', callId, status: 'completed', action: { commands } });
const patchCall = (callId: string, path: string): AgentOutputItem => ({ type: 'apply_patch_call', callId, status: 'completed', operation: { type: 'delete_file', path } });

test('C10: every action of a computer call is carried out in order, and a screenshot answers', async () => {
  const { value, requests } = await play(async (world) => {
    const log: string[] = [];
    const all = screenCall(
      { type: 'click', x: 1, y: 2, button: 'left' }, { type: 'double_click', x: 3, y: 4 }, { type: 'scroll', x: 5, y: 6, scroll_x: 0, scroll_y: 7 },
      { type: 'type', text: 'hi' }, { type: 'wait' }, { type: 'move', x: 8, y: 9 }, { type: 'keypress', keys: ['ctrl', 'c'] }, { type: 'drag', path: [{ x: 1, y: 1 }, { x: 2, y: 2 }] },
    );
    await world.run(new Agent({ name: 'Hand', model: world.model(responds(all), says('Done.')), tools: [computerTool({ computer: screen(log) })] }), 'go');
    return log;
  });
  expect(value).toEqual([
    'click 1,2 left', 'double click 3,4', 'scroll 5,6 by 0,7', 'type hi', 'wait', 'move 8,9', 'press ctrl+c', 'drag 1,1 to 2,2', 'screenshot',
  ]);
  expect(requests[1]!.input.at(-1)).toEqual({ type: 'computer_call_result', callId: 'call_screen', output: { type: 'computer_screenshot', data: SHOT } });
});

test('C10: commands run in the shell, operations in the editor; their results are the items of the call', async () => {
  const { value, requests } = await play(async (world) => {
    const log: string[] = [];
    const model = world.model(responds(shellCall('call_sh', 'ls', 'pwd'), patchCall('call_patch', 'old.txt')), says('Done.'));
    await world.run(new Agent({ name: 'Hand', model, tools: [shellTool({ shell: shell(log) }), applyPatchTool({ editor: editor(log) })] }), 'go');
    return log;
  });
  expect(value).toEqual(['$ ls', '$ pwd', 'delete_file old.txt']);
  const exit = (stdout: string) => ({ stdout, stderr: '', outcome: { type: 'exit', exitCode: 0 } });
  expect(requests[1]!.input.slice(-2)).toEqual([
    { type: 'shell_call_output', callId: 'call_sh', output: [exit('ran ls'), exit('ran pwd')] },
    { type: 'apply_patch_call_output', callId: 'call_patch', status: 'completed', output: 'old.txt is done' },
  ]);
});

test('C10: a port that fails is a result the model reads', async () => {
  const { seen, requests } = await play(async (world) => {
    const broken = { run: () => Promise.reject(new Error('no such shell')) };
    const dark = screen([], () => Promise.reject(new Error('no display')));
    const model = world.model(responds(screenCall({ type: 'wait' }), shellCall('call_sh', 'ls')), says('I see.'));
    return world.run(new Agent({ name: 'Hand', model, tools: [shellTool({ shell: broken }), computerTool({ computer: dark })] }), 'go');
  });
  expect(seen.outcome).toBe('completed');
  expect(requests[1]!.input.slice(-2)).toEqual([
    expect.objectContaining({ type: 'computer_call_result', callId: 'call_screen', providerData: { note: 'The computer failed: no display' } }),
    { type: 'shell_call_output', callId: 'call_sh', output: [{ stdout: '', stderr: 'no such shell', outcome: { type: 'exit', exitCode: null } }] },
  ]);
});

test('C3: the computer works beside the functions; shell and patch follow, one at a time, in the order of their calls', async () => {
  const { value } = await play(async (world) => {
    const log: string[] = [];
    const meet = latch();
    const tick = counted('tick', async () => {
      await meet.promise; // only the computer, beside it, lets it end
      log.push('tick');
    });
    const model = world.model(responds(patchCall('call_patch', 'a'), shellCall('call_sh', 'ls'), calls('tick'), screenCall({ type: 'wait' })), says('Done.'));
    const tools = [shellTool({ shell: shell(log) }), applyPatchTool({ editor: editor(log) }), computerTool({ computer: screen(log, (what) => void (what === 'wait' && meet.open())) }), tick.tool];
    await world.run(new Agent({ name: 'Hand', model, tools }), 'go');
    return log;
  });
  expect(value.slice(-2)).toEqual(['delete_file a', '$ ls']);
  expect([...value.slice(0, -2)].sort()).toEqual(['screenshot', 'tick', 'wait']);
});

test('C3: shell and patch wait for a computer call behind them, and not for a call that waits for a person', async () => {
  const { value, seen } = await play(async (world) => {
    const log: string[] = [];
    const model = world.model(responds(shellCall('call_sh', 'ls'), screenCall({ type: 'wait' }), patchCall('call_patch', 'a'), calls('ask')));
    const slowPolicy = async () => {
      await world.clock.settle();
      return false;
    };
    const tools = [
      shellTool({ shell: shell(log), needsApproval: slowPolicy }), applyPatchTool({ editor: editor(log) }),
      computerTool({ computer: screen(log), needsApproval: slowPolicy }), counted('ask', 'done', { needsApproval: true }).tool,
    ];
    await world.run(new Agent({ name: 'Hand', model, tools }), 'go');
    return log;
  });
  expect([value, seen.outcome]).toEqual([['wait', 'screenshot', '$ ls', 'delete_file a'], 'waiting']);
});

test('C10, D1: an approval function sees the action; rejected, the port is not touched', async () => {
  const { runs, value } = await play(async (world) => {
    const log: string[] = [];
    const asks: unknown[] = [];
    const hand = shellTool({ shell: shell(log), needsApproval: async (_, action) => (asks.push(action), true) });
    const agent = new Agent({ name: 'Hand', model: world.model(responds(shellCall('call_sh', 'rm -r .')), says('Well.')), tools: [hand] });
    const waiting = await world.run(agent, 'go');
    waiting.state.reject(waiting.state.getInterruptions()[0]!, { message: 'Never.' });
    await world.run(agent, waiting.state);
    return { log, asks };
  });
  expect(runs.map(({ outcome }) => outcome)).toEqual(['waiting', 'completed']);
  expect(value).toEqual({ log: [], asks: [{ commands: ['rm -r .'] }] });
  expect(runs[1]!.history.at(-2)).toMatchObject({ type: 'shell_call_output', output: [{ stderr: 'Never.' }] });
});

test('C10: onApproval answers in the place of a person', async () => {
  const { seen, value } = await play(async (world) => {
    const log: string[] = [];
    const hand = applyPatchTool({ editor: editor(log), needsApproval: true, onApproval: async (_, item) => ({ approve: item.rawItem.type === 'apply_patch_call' }) });
    await world.run(new Agent({ name: 'Hand', model: world.model(responds(patchCall('call_patch', 'a')), says('Done.')), tools: [hand] }), 'go');
    return log;
  });
  expect([seen.outcome, value]).toEqual(['completed', ['delete_file a']]);
});

test('C10: pending safety checks are shown, acknowledged with the result, and refused without an action', async () => {
  const check = { id: 'check_1', code: 'malicious', message: 'Sure?' };
  const risky: AgentOutputItem = { ...screenCall({ type: 'wait' }), providerData: { pending_safety_checks: [check] } } as AgentOutputItem; // a computer call with the provider's part
  for (const acknowledges of [true, false]) {
    const { value, requests } = await play(async (world) => {
      const log: string[] = [];
      const hand = computerTool({ computer: screen(log), onSafetyCheck: async ({ pendingSafetyChecks }) => acknowledges && { acknowledgedSafetyChecks: pendingSafetyChecks } });
      await world.run(new Agent({ name: 'Hand', model: world.model(responds(risky), says('Done.')), tools: [hand] }), 'go');
      return log;
    });
    expect(value).toEqual(acknowledges ? ['wait', 'screenshot'] : []);
    expect(requests[1]!.input.at(-1)).toMatchObject({ providerData: acknowledges ? { acknowledgedSafetyChecks: [check] } : { note: 'The pending safety checks were not acknowledged.' } });
  }
});

interface Lent { log: string[]; computer: { create: () => Computer; dispose: () => void } }

/** A computer that says when it is made and put away. */
function lent(): Lent {
  const log: string[] = [];
  return { log, computer: { create: () => (log.push('created'), screen(log)), dispose: () => void log.push('disposed') } };
}
const hand = (world: World, { computer }: Lent, ...steps: Parameters<World['model']>) =>
  new Agent({ name: 'Hand', model: world.model(...steps), tools: [computerTool({ computer }), counted('slow', () => new Promise(() => undefined)).tool, counted('ask', 'done', { needsApproval: true }).tool] });
const looks = responds(screenCall({ type: 'screenshot' }));

const OUTCOMES: Record<string, (world: World, computer: Lent) => Promise<unknown>> = {
  completed: (world, computer) => world.run(hand(world, computer, looks, looks, says('Done.')), 'go'),
  failed: (world, computer) => world.run(hand(world, computer, looks, fails({ status: 400 })), 'go'),
  interrupted: async (world, computer) => {
    const going = world.begin(hand(world, computer, looks, hangs()), 'go');
    await going.until((event) => event.type === 'turn.started' && event.turn === 2);
    await world.clock.settle();
    going.interrupt();
    return going.settled;
  },
  stopped: async (world, computer) => {
    const going = world.begin(hand(world, computer, looks, says('Never.')), 'go');
    await going.until('tool.started');
    going.softStop();
    return going.settled;
  },
  waiting: (world, computer) => world.run(hand(world, computer, responds(screenCall({ type: 'screenshot' }), calls('ask'))), 'go'),
};
for (const [outcome, script] of Object.entries(OUTCOMES)) {
  test(`C10: a computer is made once, on first need, and disposed when the run is ${outcome}`, async () => {
    const { seen, value } = await play(async (world) => {
      const computer = lent();
      await script(world, computer);
      return computer.log.filter((line) => line.endsWith('ed'));
    });
    expect([seen.outcome, value]).toEqual([outcome, ['created', 'disposed']]);
  });
}

test('C10: a computer whose dispose fails only warns', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const { seen } = await play(async (world) => {
    const computer = { create: () => screen([]), dispose: () => Promise.reject(new Error('stuck')) };
    return world.run(new Agent({ name: 'Hand', model: world.model(looks, says('Done.')), tools: [computerTool({ computer })] }), 'go');
  });
  expect([seen.outcome, seen.finalOutput]).toEqual(['completed', 'Done.']);
  expect(warn).toHaveBeenCalledWith('A computer could not be disposed:', new Error('stuck'));
  warn.mockRestore();
});

test('J4: after an interrupt a computer carries out no further action of its call', async () => {
  const { value } = await play(async (world) => {
    const log: string[] = [];
    const [reached, released] = [latch(), latch()];
    const slow = screen(log, async (what) => {
      if (what !== 'wait') return;
      reached.open();
      await released.promise;
    });
    const agent = new Agent({ name: 'Hand', model: world.model(responds(screenCall({ type: 'wait' }, { type: 'type', text: 'rm' }))), tools: [computerTool({ computer: slow })] });
    const going = world.begin(agent, 'go');
    await reached.promise;
    going.interrupt();
    released.open();
    await going.settled;
    return log;
  });
  expect(value).toEqual(['wait']);
});
