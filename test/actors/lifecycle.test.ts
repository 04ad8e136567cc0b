import { describe, expect, test } from 'vitest';
import { Agent } from '../../actors/agent.ts';
import { AgentHooks, registerHooks, RunHooks, RuntimeEventEmitter, type RunHooksOption } from '../../actors/lifecycle.ts';
import { RunContext } from '../../actors/runContext.ts';

type Events = { said: [text: string, times: number]; left: [] };
const context = new RunContext();
const agent = new Agent({ name: 'A' });

function recorder() {
  const log: string[] = [];
  return { log, note: (name: string) => (text: string, times: number) => void log.push(`${name}:${text}×${times}`) };
}

describe('RuntimeEventEmitter', () => {
  test('calls listeners in the order they were registered, with all arguments', () => {
    const emitter = new RuntimeEventEmitter<Events>();
    const { log, note } = recorder();
    emitter.on('said', note('a')).on('said', note('b'));
    expect(emitter.emit('said', 'hi', 2)).toBe(true);
    expect(emitter.emit('left')).toBe(false);
    expect(log).toEqual(['a:hi×2', 'b:hi×2']);
  });

  test('once listens once, also when it emits again itself', () => {
    const emitter = new RuntimeEventEmitter<Events>();
    const log: string[] = [];
    emitter.once('said', (text) => {
      log.push(text);
      emitter.emit('said', 'again', 1);
    });
    emitter.emit('said', 'first', 1);
    expect(log).toEqual(['first']);
    expect(emitter.listens('said')).toBe(false);
  });

  test('off removes one registration, the latest, and also one made by once', () => {
    const emitter = new RuntimeEventEmitter<Events>();
    const { log, note } = recorder();
    const listener = note('a');
    emitter.on('said', listener).on('said', note('b')).on('said', listener).off('said', listener);
    emitter.emit('said', 'hi', 1);
    expect(log).toEqual(['a:hi×1', 'b:hi×1']);
    emitter.once('left', listener as never).off('left', listener as never); // `as never`: only the identity of the function matters.
    expect(emitter.listens('left')).toBe(false);
    expect(emitter.off('left', () => undefined)).toBe(emitter);
  });

  test('listens answers whether an emission would reach anyone', () => {
    const emitter = new RuntimeEventEmitter<Events>();
    const listener = () => undefined;
    expect(emitter.listens('said')).toBe(false);
    emitter.on('said', listener);
    expect([emitter.listens('said'), emitter.listens('left')]).toEqual([true, false]);
    emitter.off('said', listener);
    expect(emitter.listens('said')).toBe(false);
  });

  test('who registers or leaves during an emission does not change that emission', () => {
    const emitter = new RuntimeEventEmitter<Events>();
    const { log, note } = recorder();
    const late = note('late');
    const second = note('second');
    emitter.once('said', () => emitter.on('said', late).off('said', second)).on('said', second);
    emitter.emit('said', 'hi', 1);
    expect(log).toEqual(['second:hi×1']);
    emitter.emit('said', 'hi', 2);
    expect(log).toEqual(['second:hi×1', 'late:hi×2']);
  });

  test('an event may be called like a property of every object', () => {
    const emitter = new RuntimeEventEmitter();
    expect(emitter.emit('constructor')).toBe(false);
    emitter.on('__proto__', () => undefined);
    expect([emitter.emit('__proto__'), emitter.listens('toString')]).toEqual([true, false]);
  });

  test('emit throws what a listener throws at once, and loses what an asynchronous one rejects with', async () => {
    const emitter = new RuntimeEventEmitter<Events>();
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', onUnhandled);
    emitter.once('left', async () => {
      throw new Error('late');
    });
    expect(emitter.emit('left')).toBe(true);
    await new Promise(setImmediate); // Unhandled rejections are reported before the next macrotask.
    process.off('unhandledRejection', onUnhandled);
    expect(unhandled).toEqual([]);
    emitter.on('left', () => {
      throw new Error('at once');
    });
    expect(() => emitter.emit('left')).toThrow('at once');
  });

  test('H1: emitAndWait lets each listener finish before the next', async () => {
    const emitter = new RuntimeEventEmitter<Events>();
    const log: string[] = [];
    emitter.on('left', async () => {
      log.push('a in');
      await Promise.resolve();
      log.push('a out');
    });
    emitter.on('left', () => void log.push('b'));
    await emitter.emitAndWait('left');
    expect(log).toEqual(['a in', 'a out', 'b']);
  });

  test.each([
    ['throws', () => { throw new Error('no'); }],
    ['rejects', async () => { throw new Error('no'); }],
  ])('H1: emitAndWait rejects when a listener %s, and does not call the next', async (_how, listener) => {
    const emitter = new RuntimeEventEmitter<Events>();
    const log: string[] = [];
    emitter.on('left', listener).on('left', () => void log.push('next'));
    await expect(emitter.emitAndWait('left')).rejects.toThrow('no');
    expect(log).toEqual([]);
  });

  test('two emitters share nothing', () => {
    const [one, other] = [new AgentHooks(), new AgentHooks()];
    one.on('agent_turn_start', () => undefined);
    expect([one.listens('agent_turn_start'), other.listens('agent_turn_start')]).toEqual([true, false]);
  });
});

describe('registerHooks', () => {
  test('H1: every hook of the option hears its event, with the agent on a runner', () => {
    const log: unknown[][] = [];
    const names = ['agentStart', 'agentEnd', 'handoff', 'toolStart', 'toolEnd', 'llmStart', 'llmEnd', 'turnStart', 'turnEnd', 'error'] as const;
    const hooks: RunHooksOption = Object.fromEntries(names.map((name) => [name, (...args: unknown[]) => log.push([name, ...args.slice(1)])]));
    const runner = new RunHooks();
    registerHooks(runner, hooks);
    // `as never`: what is passed is only carried.
    runner.emit('agent_start', context, agent, []);
    runner.emit('agent_end', context, agent, 'done');
    runner.emit('agent_handoff', context, agent, agent);
    runner.emit('agent_tool_start', context, agent, 'tool' as never, 'details' as never);
    runner.emit('agent_tool_end', context, agent, 'tool' as never, 'result', 'details' as never);
    runner.emit('agent_llm_start', context, agent, 'request' as never);
    runner.emit('agent_llm_end', context, agent, 'response' as never);
    runner.emit('agent_turn_start', context, agent, 1);
    runner.emit('agent_turn_end', context, agent, 1);
    runner.emit('agent_error', context, agent, 'trouble');
    expect(log).toEqual([
      ['agentStart', agent, []],
      ['agentEnd', agent, 'done'],
      ['handoff', agent, agent],
      ['toolStart', agent, 'tool', 'details'],
      ['toolEnd', agent, 'tool', 'result', 'details'],
      ['llmStart', agent, 'request'],
      ['llmEnd', agent, 'response'],
      ['turnStart', agent, 1],
      ['turnEnd', agent, 1],
      ['error', agent, 'trouble'],
    ]);
  });

  test('H1: agent-level hooks get the context and their own arguments', () => {
    const hooks = new AgentHooks();
    const log: unknown[][] = [];
    registerHooks(hooks, { turnEnd: (...args) => log.push(args), agentEnd: undefined });
    hooks.emit('agent_turn_end', context, 3);
    expect(log).toEqual([[context, 3]]);
    expect(hooks.listens('agent_end')).toBe(false);
  });

  test('the returned function removes what was registered and leaves other listeners', () => {
    const hooks = new AgentHooks();
    hooks.on('agent_turn_end', () => undefined);
    const remove = registerHooks(hooks, { turnStart: () => undefined, turnEnd: () => undefined });
    expect(hooks.listens('agent_turn_start')).toBe(true);
    remove();
    expect([hooks.listens('agent_turn_start'), hooks.listens('agent_turn_end')]).toEqual([false, true]);
  });

  test('a hook that does not exist, or is no function, is refused before any is registered', () => {
    const hooks = new AgentHooks();
    const wrong = { turnStart: () => undefined, onTurnEnd: () => undefined };
    expect(() => registerHooks(hooks, wrong)).toThrow(/no hook "onTurnEnd".*agentStart, agentEnd/);
    expect(() => registerHooks(hooks, { turnEnd: 'x' as never })).toThrow('The hook "turnEnd" must be a function, not string.');
    expect(hooks.listens('agent_turn_start')).toBe(false);
  });
});
