/** The world outside of all processes: where bodies have their effect, models answer, and things can be looked up. */
import type { AgentInputItem } from 'loopchart';
import { type ScriptedModel, type SingleStep, type VirtualClock, answersWith, calls, delays, empty, fails, loop, responds, says, scriptedModel } from 'loopchart/testing';
import type { ModelRequest } from '../../../actors/ports.ts';
import type { ToolCallDetails } from '../../../actors/toolTypes.ts';
import { pathOf, presentDeed } from '../../crash/support/ledger.ts';
import { problemsOf } from '../../scenarios/support/invariants.ts';
import type { GuardrailPlan, Plan, ToolPlan } from './plan.ts';
import { Random } from './random.ts';

/** A body has had its effect. */
export interface Act { effectId: string; key: string; tool: ToolPlan; n: number }
const NEVER = new Promise<never>(() => undefined);

export class Town {
  readonly acts: Act[] = [];
  /** What was sent, by the id of the effect in whose name. */
  readonly requests = new Map<string, string>();
  readonly complaints: string[] = [];
  readonly clock: VirtualClock;
  readonly model: ScriptedModel;
  /** Keys of bodies that are at work. */
  readonly #atWork = new Set<string>();
  readonly #plan: Plan;

  constructor(plan: Plan, clock: VirtualClock) {
    this.#plan = plan;
    this.clock = clock;
    this.model = scriptedModel(loop(answersWith((request) => this.#answer(request))));
  }

  async body(tool: ToolPlan, n: number, { effectId = '', idempotencyKey = '', signal }: ToolCallDetails): Promise<string> {
    const { life } = presentDeed()!; // every process of the simulation has a ledger
    this.#atWork.add(idempotencyKey);
    await this.#pause(tool.ms);
    if (life.isOver && !tool.isRemote) {
      this.#atWork.delete(idempotencyKey);
      return NEVER;
    }
    this.#atWork.delete(idempotencyKey);
    if (tool.obeys && signal?.aborted) throw Object.assign(new Error('Told to stop.'), { name: 'AbortError' });
    if (tool.throws && n % 7 === 0) throw new Error(`${tool.name} cannot do ${n}.`);
    this.acts.push({ effectId, key: idempotencyKey, tool, n });
    return resultOf(tool, n);
  }

  /** What a tool finds out about a body by its key. */
  check(key: string): { happened: true; result: string } | { happened: false } | { happened: 'unknown' } {
    const act = this.acts.find((one) => one.key === key);
    if (act) return { happened: true, result: resultOf(act.tool, act.n) };
    return this.#atWork.has(key) ? { happened: 'unknown' } : { happened: false };
  }

  async guard({ name, ms, trips }: GuardrailPlan, said: unknown): Promise<{ tripwireTriggered: boolean; outputInfo: string }> {
    await this.#pause(ms);
    return { tripwireTriggered: trips && new Random(this.#plan.seed, name, JSON.stringify(said)).chance(0.3), outputInfo: name };
  }

  async #pause(ms: number): Promise<void> {
    if (ms > 0) await new Promise<void>((resolve) => this.clock.setTimeout(resolve, ms));
  }

  /** The same request gets the same answer, whoever sends it and however often. */
  #answer(request: Readonly<ModelRequest>): SingleStep | Promise<SingleStep> {
    const deed = presentDeed()!; // as above
    if (deed.life.isOver) return NEVER;
    const items = request.input as AgentInputItem[]; // the loop sends items
    const text = JSON.stringify([request.systemInstructions, items, request.tools.map((tool) => 'name' in tool && tool.name)]);
    this.#note(deed.id, text, items);
    const { seed, failing, modelMs } = this.#plan;
    if (new Random(seed, 'fails', deed.id).chance(failing)) return fails({ status: 503 });
    const id = new Random(seed, 'id', text, pathOf(deed.id)).below(1e9).toString(36); // two agents that are asked the same make calls of their own
    const step = this.#say(new Random(seed, 'says', text), { request, items, id });
    return modelMs === 0 ? step : delays(modelMs, step, this.clock);
  }

  #note(id: string, text: string, items: AgentInputItem[]): void {
    const before = this.requests.get(id);
    if (before !== undefined && before !== text) this.complaints.push(`O1: the request of ${id} is another one than before`);
    this.requests.set(id, text);
    for (const problem of problemsOf(items)) this.complaints.push(`G3: ${id}: ${problem}`);
  }

  #say(random: Random, { request: { tools, handoffs }, items, id }: { request: Readonly<ModelRequest>; items: AgentInputItem[]; id: string }): SingleStep {
    const asked = items.filter(({ type }) => type === 'function_call').length;
    const answer = { responseId: `resp_${id}` };
    if (asked >= this.#plan.depth || random.chance(0.25)) return says(`Done ${id}.`, answer);
    if (random.chance(0.03)) return empty(answer);
    if (tools.length === 0) return says(`In short: ${id}.`, answer); // it is asked to sum up
    const names = tools.flatMap((tool) => (tool.type === 'function' ? [tool.name] : []));
    const called = Array.from({ length: 1 + random.below(3) }, (_, nth) => [...this.#call(random, names), { callId: `call_${id}_${nth}` }] as [string, unknown, { callId: string }]);
    if (handoffs.length > 0 && random.chance(0.3)) called.push([random.pick(handoffs).toolName, {}, { callId: `call_${id}_h` }]);
    const asks = calls(...called);
    return random.chance(0.3) ? responds(says('Let me see.'), { ...asks, ...answer }) : { ...asks, ...answer };
  }

  #call(random: Random, names: readonly string[]): [string, unknown] {
    if (random.chance(0.03)) return ['no_such_tool', {}];
    const name = random.pick(names);
    if (name.startsWith('Agent_')) return [name, { input: `Help with ${random.below(100)}.` }];
    return [name, random.chance(0.05) ? { n: 'many' } : { n: random.below(50) }];
  }
}

export const resultOf = ({ name }: ToolPlan, n: number) => `${name} did ${n}`;
