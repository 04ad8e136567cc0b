/** Hooks of agents and runners, as an event emitter (`agent.on('agent_start', …)`) and as an options object (H1). */
import type { AgentInputItem, TextOutput, ToolCallItem } from '../machines/protocol/item.ts';
import type { Agent } from './agent.ts';
import { UserError } from './errors.ts';
import type { ModelRequest, ModelResponse } from './ports.ts';
import type { RunContext, UnknownContext } from './runContext.ts';
import type { AgentOutputType } from './schemaTypes.ts';
import type { Tool } from './tool.ts';

export type EventEmitterEvents = Record<string, any[]>; // `any`: each event has its own arguments; the peer's type has it.
/** May be asynchronous: the loop waits for it, and what it throws fails the run. */
export type HookListener<TArguments extends any[]> = (...args: TArguments) => unknown;

interface Registration { listener: HookListener<any[]>; once: boolean }

/** A small emitter with a second way to emit: {@link RuntimeEventEmitter.emitAndWait}, which the loop uses. */
export class RuntimeEventEmitter<EventTypes extends EventEmitterEvents = EventEmitterEvents> {
  /** Lists are replaced, never changed: an emission in progress keeps to those registered when it began. */
  #registrations: Map<keyof EventTypes, readonly Registration[]> | undefined;

  on<K extends keyof EventTypes>(type: K, listener: HookListener<EventTypes[K]>): this {
    return this.#add(type, { listener, once: false });
  }

  once<K extends keyof EventTypes>(type: K, listener: HookListener<EventTypes[K]>): this {
    return this.#add(type, { listener, once: true });
  }

  /** Removes the latest registration of the listener, however it was made. */
  off<K extends keyof EventTypes>(type: K, listener: HookListener<EventTypes[K]>): this {
    const registered = this.#registrations?.get(type)?.findLast((registration) => registration.listener === listener);
    if (registered) this.#remove(type, registered);
    return this;
  }

  /** Whether an emission would reach anyone. Free of cost, so that the loop can skip what nobody listens to. */
  listens(type: keyof EventTypes): boolean {
    return this.#registrations?.has(type) ?? false;
  }

  /**
   * Calls the listeners and does not wait for them: what an asynchronous one rejects with is lost. What one throws
   * synchronously is thrown here, and the listeners after it are not called.
   * @returns whether there was a listener.
   */
  emit<K extends keyof EventTypes>(type: K, ...args: EventTypes[K]): boolean {
    const registered = this.#registrations?.get(type);
    if (!registered) return false;
    for (const registration of registered) {
      const pending = this.#call(type, registration, args);
      if (isPromiseLike(pending)) pending.then(undefined, () => undefined);
    }
    return true;
  }

  /** Calls the listeners in the order they were registered, each after the one before it is done; the first failure rejects. */
  async emitAndWait<K extends keyof EventTypes>(type: K, ...args: EventTypes[K]): Promise<void> {
    for (const registration of this.#registrations?.get(type) ?? []) await this.#call(type, registration, args);
  }

  #call(type: keyof EventTypes, registration: Registration, args: unknown[]): unknown {
    if (registration.once) this.#remove(type, registration);
    return registration.listener(...args);
  }

  #add(type: keyof EventTypes, registration: Registration): this {
    this.#registrations ??= new Map();
    this.#registrations.set(type, [...(this.#registrations.get(type) ?? []), registration]);
    return this;
  }

  #remove(type: keyof EventTypes, registration: Registration): void {
    const left = this.#registrations?.get(type)?.filter((other) => other !== registration) ?? [];
    if (left.length > 0) this.#registrations?.set(type, left);
    else this.#registrations?.delete(type);
  }
}

/**
 * By this id a hook can tell that it is called again: after a crash in the middle of an effect its hooks are called once more (O8).
 */
export interface HookDetails { effectId: string }
export interface ToolHookDetails extends Partial<HookDetails> { toolCall: ToolCallItem }

/**
 * What an agent emits. As in the peer, the agent itself is among the arguments of `agent_start` only.
 * `agent_end` and `agent_tool_end` get their output as the text the model or the caller would see.
 */
export type AgentHookEvents<TContext = UnknownContext, TOutput extends AgentOutputType = TextOutput> = {
  agent_start: [context: RunContext<TContext>, agent: Agent<TContext, TOutput>, turnInput?: AgentInputItem[], details?: HookDetails];
  agent_end: [context: RunContext<TContext>, output: string, details?: HookDetails];
  agent_handoff: [context: RunContext<TContext>, nextAgent: Agent<any, any>, details?: HookDetails];
  agent_tool_start: [context: RunContext<TContext>, tool: Tool<any>, details: ToolHookDetails];
  agent_tool_end: [context: RunContext<TContext>, tool: Tool<any>, result: string, details: ToolHookDetails];
  /** `request` is what is really sent. */
  agent_llm_start: [context: RunContext<TContext>, request: ModelRequest, details?: HookDetails];
  agent_llm_end: [context: RunContext<TContext>, response: ModelResponse, details?: HookDetails];
  /** `turn` counts from 1 over the whole run. */
  agent_turn_start: [context: RunContext<TContext>, turn: number, details?: HookDetails];
  agent_turn_end: [context: RunContext<TContext>, turn: number, details?: HookDetails];
  agent_error: [context: RunContext<TContext>, error: unknown, details?: HookDetails];
};

/** What a runner emits: the events of every agent of its runs, the agent always second. */
export type RunHookEvents<TContext = UnknownContext, TOutput extends AgentOutputType = TextOutput> = {
  agent_start: [context: RunContext<TContext>, agent: Agent<TContext, TOutput>, turnInput?: AgentInputItem[], details?: HookDetails];
  agent_end: [context: RunContext<TContext>, agent: Agent<TContext, TOutput>, output: string, details?: HookDetails];
  agent_handoff: [context: RunContext<TContext>, fromAgent: Agent<any, any>, toAgent: Agent<any, any>, details?: HookDetails];
  agent_tool_start: [context: RunContext<TContext>, agent: Agent<TContext, TOutput>, tool: Tool, details: ToolHookDetails];
  agent_tool_end: [
    context: RunContext<TContext>, agent: Agent<TContext, TOutput>, tool: Tool, result: string, details: ToolHookDetails,
  ];
  agent_llm_start: [context: RunContext<TContext>, agent: Agent<TContext, TOutput>, request: ModelRequest, details?: HookDetails];
  agent_llm_end: [context: RunContext<TContext>, agent: Agent<TContext, TOutput>, response: ModelResponse, details?: HookDetails];
  agent_turn_start: [context: RunContext<TContext>, agent: Agent<TContext, TOutput>, turn: number, details?: HookDetails];
  agent_turn_end: [context: RunContext<TContext>, agent: Agent<TContext, TOutput>, turn: number, details?: HookDetails];
  agent_error: [context: RunContext<TContext>, agent: Agent<TContext, TOutput>, error: unknown, details?: HookDetails];
};

/** Exists for the compiler only: it tells the two kinds of emitter apart, whose methods alone are too alike for that. */
declare const level: unique symbol;

/** The emitter every agent is. */
export class AgentHooks<TContext = UnknownContext, TOutput extends AgentOutputType = TextOutput> extends RuntimeEventEmitter<
  AgentHookEvents<TContext, TOutput>
> {
  declare readonly [level]?: 'agent';
}

/** The emitter every runner is. */
export class RunHooks<TContext = UnknownContext, TOutput extends AgentOutputType = TextOutput> extends RuntimeEventEmitter<
  RunHookEvents<TContext, TOutput>
> {
  declare readonly [level]?: 'run';
}

const EVENT_OF_HOOK = {
  agentStart: 'agent_start',
  agentEnd: 'agent_end',
  handoff: 'agent_handoff',
  toolStart: 'agent_tool_start',
  toolEnd: 'agent_tool_end',
  llmStart: 'agent_llm_start',
  llmEnd: 'agent_llm_end',
  turnStart: 'agent_turn_start',
  turnEnd: 'agent_turn_end',
  error: 'agent_error',
} as const;
type HookName = keyof typeof EVENT_OF_HOOK;

/** Hooks as options: one function for each event, with the arguments of that event. */
export type HooksOption<EventTypes extends { [K in HookName as (typeof EVENT_OF_HOOK)[K]]: any[] }> = {
  [K in HookName]?: HookListener<EventTypes[(typeof EVENT_OF_HOOK)[K]]>;
};
export type AgentHooksOption<TContext = UnknownContext, TOutput extends AgentOutputType = TextOutput> = HooksOption<
  AgentHookEvents<TContext, TOutput>
>;
export type RunHooksOption<TContext = UnknownContext, TOutput extends AgentOutputType = TextOutput> = HooksOption<
  RunHookEvents<TContext, TOutput>
>;

/**
 * Registers the hooks of an options object.
 * @returns a function that removes them again.
 * @throws UserError for a hook that does not exist or is no function.
 *
 * @example
 * ```ts
 * import { registerHooks, RunHooks } from 'loopchart';
 *
 * const hooks = new RunHooks();
 * const remove = registerHooks(hooks, { turnStart: (_context, _agent, turn) => console.log('turn', turn) });
 * console.log(hooks.listens('agent_turn_start')); // true
 * remove();
 * ```
 */
export function registerHooks<TContext, TOutput extends AgentOutputType>(
  emitter: AgentHooks<TContext, TOutput>,
  hooks: AgentHooksOption<NoInfer<TContext>, NoInfer<TOutput>>,
): () => void;
export function registerHooks<TContext, TOutput extends AgentOutputType>(
  emitter: RunHooks<TContext, TOutput>,
  hooks: RunHooksOption<NoInfer<TContext>, NoInfer<TOutput>>,
): () => void;
export function registerHooks(emitter: RuntimeEventEmitter, hooks: object): () => void {
  const registered = Object.entries(hooks).filter(([, listener]) => listener !== undefined);
  for (const [name, listener] of registered) assertHook(name, listener);
  // Names and functions were checked just above; entries of an object have lost their types.
  const each = registered as [HookName, HookListener<any[]>][];
  for (const [name, listener] of each) emitter.on(EVENT_OF_HOOK[name], listener);
  return () => {
    for (const [name, listener] of each) emitter.off(EVENT_OF_HOOK[name], listener);
  };
}

function assertHook(name: string, listener: unknown): void {
  if (!Object.hasOwn(EVENT_OF_HOOK, name)) {
    throw new UserError(`There is no hook "${name}". The hooks are: ${Object.keys(EVENT_OF_HOOK).join(', ')}.`);
  }
  if (typeof listener !== 'function') throw new UserError(`The hook "${name}" must be a function, not ${typeof listener}.`);
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined | null)?.then === 'function';
}
