/** What a seed stands for: agents, what they can do, and how the world treats them. Plain values; nothing is drawn later but from them. */
import { Random } from './random.ts';

export type EffectClass = 'pure' | 'idempotent' | 'reconcilable' | 'irreversible';
export interface ToolPlan {
  name: string;
  effect: EffectClass;
  /** `some`: only with an even number. */
  approval: 'never' | 'always' | 'some';
  ms: number;
  timeoutMs?: number;
  /** Told to stop, it stops. */
  obeys: boolean;
  /** Begun by a process that dies, it comes to its end all the same. */
  isRemote: boolean;
  /** Throws with one number of seven. */
  throws: boolean;
  /** What it throws ends the run. */
  raises: boolean;
  isSerial: boolean;
}
export interface GuardrailPlan { name: string; ms: number; isParallel: boolean; trips: boolean }
export interface AgentPlan {
  name: string;
  tools: ToolPlan[];
  /** Agents that it hands off to, and agents that it uses as tools, by their place. */
  handoffs: number[];
  delegates: number[];
  inputGuardrails: GuardrailPlan[];
  outputGuardrails: GuardrailPlan[];
}
export interface Plan {
  seed: number;
  /** Nothing happens but death and failing writes: then all must end as if not even that had happened (O1). */
  isCalm: boolean;
  agents: AgentPlan[];
  hasSession: boolean;
  streams: boolean;
  journalIsSlow: boolean;
  /** Calls after which an agent says its last word. */
  depth: number;
  /** How often requests fail at first, and how slow they are. */
  failing: number;
  retries: number;
  modelMs: number;
  /** How likely each write of a process is to be its last, or to fail. */
  danger: number;
}

export function planOf(seed: number): Plan {
  const random = new Random(seed, 'plan');
  const isCalm = random.chance(0.4);
  const count = 1 + random.below(3);
  const agents = Array.from({ length: count }, (_, at) => agentOf(random, { at, count, isCalm }));
  return {
    seed,
    isCalm,
    agents,
    hasSession: random.chance(0.5),
    streams: random.chance(0.5),
    journalIsSlow: random.chance(0.4),
    depth: 2 + random.below(4),
    failing: random.chance(0.3) ? 0.2 : 0,
    retries: random.below(3),
    modelMs: random.pick([0, 0, 20, 500]),
    danger: random.pick([0.03, 0.08, 0.15, 0.3]),
  };
}

function agentOf(random: Random, { at, count, isCalm }: { at: number; count: number; isCalm: boolean }): AgentPlan {
  const others = Array.from({ length: count }, (_, other) => other).filter((other) => other > at);
  const tools = Array.from({ length: 1 + random.below(3) }, (_, nth) => toolOf(random, `tool_${at}_${nth}`, isCalm));
  return {
    name: `Agent_${at}`,
    tools,
    handoffs: others.filter(() => random.chance(0.5)),
    delegates: others.filter(() => random.chance(0.4)),
    inputGuardrails: guardrailsOf(random, `in_${at}`, isCalm),
    outputGuardrails: guardrailsOf(random, `out_${at}`, true),
  };
}

function toolOf(random: Random, name: string, isCalm: boolean): ToolPlan {
  const tool: ToolPlan = {
    name,
    effect: random.pick(['pure', 'idempotent', 'reconcilable', 'irreversible']),
    approval: random.pick(['never', 'never', 'always', 'some']),
    ms: random.pick([0, 0, 10, 300]),
    obeys: random.chance(0.6),
    isRemote: random.chance(0.5),
    throws: random.chance(0.2),
    raises: !isCalm && random.chance(0.1),
    isSerial: random.chance(0.2),
  };
  if (!isCalm && random.chance(0.2)) tool.timeoutMs = 100;
  return tool;
}

const guardrailsOf = (random: Random, name: string, isCalm: boolean): GuardrailPlan[] =>
  random.chance(0.25) ? [{ name, ms: random.pick([0, 15]), isParallel: !isCalm && random.chance(0.6), trips: random.chance(0.3) }] : [];
