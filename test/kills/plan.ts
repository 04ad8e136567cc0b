/** What the runs and threads of a world are to do: drawn from its seed, the same in every process that asks. */
import { between, type Chance, chanceOf, oneOf } from './chance.ts';
import { STARTS_WORK, type ThreadPlan, threadPlans } from './threadPlan.ts';

export type ToolName = 'look' | 'put' | 'pay' | 'send' | 'sign' | 'stamp';
/** `task` works beside the runs of a thread; `choose` is answered by a person. */
export type CallName = ToolName | 'ask' | 'transfer_to_Second' | 'task' | 'choose';
export interface PlannedCall { callId: string; name: CallName }
/** Calls of one answer; the model answers when it has the results of all groups. */
export type Groups = PlannedCall[][];
export type RunKind = 'tools' | 'nested' | 'handoff' | 'session' | 'streamed';

export interface RunPlan {
  runId: string;
  kind: RunKind;
  /** A run that has to be over before this one begins: both are of one conversation. */
  after?: string;
  /** The person decides while the process that came to the question still lives; else another process asks for the decision. */
  decidesAtOnce: boolean;
}
export interface WorldPlan {
  seed: string;
  store: 'sqlite' | 'file';
  runs: RunPlan[];
  threads: ThreadPlan[];
  /** By the key that the prompt names: a run, a word to a thread, or a nested run by the call that it answers. */
  groups: Map<string, Groups>;
}

const TOOLS: readonly ToolName[] = ['look', 'put', 'pay', 'send'];

export function worldPlan(seed: string): WorldPlan {
  const chance = chanceOf('plan', seed);
  const groups = new Map<string, Groups>();
  const kinds: RunKind[] = ['tools', 'nested', 'handoff', 'session', 'streamed'];
  const runs = kinds.map((kind): RunPlan => ({ runId: kind, kind, decidesAtOnce: chance() < 0.3 }));
  runs.push({ runId: 'again', kind: 'session', after: 'session', decidesAtOnce: false });
  for (const { runId, kind } of runs) groups.set(runId, groupsOf(chance, runId, kind, groups));
  const store = chance() < 0.7 ? 'sqlite' as const : 'file' as const;
  const threads = threadPlans(chance);
  for (const { words } of threads) for (const { id, kind } of words) if (STARTS_WORK.has(kind)) groups.set(id, groupsOfWord(chance, id, groups));
  const holds = oneOf(chanceOf('holds', seed), ['runs', 'threads', 'both']);
  return { seed, store, runs: holds === 'threads' ? [] : runs, threads: holds === 'runs' ? [] : threads, groups };
}

/** By which its ledger and its journal know it: the name of a run or a thread is the first word of all its keys. */
export const ownerOf = (key: string): string => key.split('.')[0]!;

function groupsOf(chance: Chance, key: string, kind: RunKind, all: Map<string, Groups>): Groups {
  const callIn = (group: number, at: number, name: CallName): PlannedCall => ({ callId: `${key}.${group}.${at}`, name });
  const groups: Groups = Array.from({ length: between(chance, 2, 3) }, (_, group) =>
    Array.from({ length: between(chance, 1, 4) }, (_, at) => callIn(group, at, oneOf(chance, TOOLS))));
  if (chance() < 0.6) append(groups[0]!, callIn, 0, oneOf(chance, ['sign', 'stamp']));
  if (kind === 'tools') groups.splice(1, 1, TOOLS.map((name, at) => callIn(1, at, name))); // all classes side by side
  if (kind === 'handoff') groups.splice(1, 0, [callIn(9, 0, 'transfer_to_Second')]);
  if (kind === 'nested') {
    const call = append(groups[0]!, callIn, 0, 'ask');
    all.set(call.callId, [[{ callId: `${call.callId}.0.0`, name: oneOf(chance, TOOLS) }, { callId: `${call.callId}.0.1`, name: oneOf(chance, [...TOOLS, 'sign', 'stamp']) }]]);
  }
  return groups;
}

function groupsOfWord(chance: Chance, key: string, all: Map<string, Groups>): Groups {
  const callIn = (group: number, at: number, name: CallName): PlannedCall => ({ callId: `${key}.${group}.${at}`, name });
  const groups: Groups = Array.from({ length: between(chance, 1, 2) }, (_, group) => Array.from({ length: between(chance, 1, 3) }, (_, at) => callIn(group, at, oneOf(chance, TOOLS))));
  if (chance() < 0.5) append(groups[0]!, callIn, 0, oneOf(chance, ['sign', 'stamp', 'choose']));
  if (chance() < 0.4) {
    const { callId } = append(groups[0]!, callIn, 0, oneOf(chance, ['ask', 'task', 'task']));
    all.set(callId, [[{ callId: `${callId}.0.0`, name: oneOf(chance, TOOLS) }, { callId: `${callId}.0.1`, name: oneOf(chance, [...TOOLS, 'sign']) }]]);
  }
  return groups;
}

function append(group: PlannedCall[], callIn: (group: number, at: number, name: CallName) => PlannedCall, number: number, name: CallName): PlannedCall {
  const call = callIn(number, group.length, name);
  group.push(call);
  return call;
}
