/**
 * Where a run stood at rest, as a whole: what its entries up to there lead to, so that a long run is quick to open. Only a cache:
 * without it, or with one that does not fit, the entries are fed from the first. Safe at rest, when nothing is under way.
 */
import { Log } from '../machines/log.ts';
import type { RunInput } from '../machines/protocol/outcome.ts';
import { CHART_VERSIONS } from '../machines/versions.ts';
import { checksum } from './checksum.ts';
import type { KeptDecisions } from './decisions.ts';
import type { ScopeMemory } from './scopeMemory.ts';
import { pack, unpack } from './sharedJson.ts';
import type { ViewMemory } from './viewParts.ts';

/** An actor as XState keeps it, children included. */
export interface KeptActor { context: any; children: Record<string, { snapshot: KeptActor } | undefined> } // `any`: each chart has a context of its own
/** What a run, nested or not, has seen go by. */
export interface KeptScope { path: string; memory: ScopeMemory }

export interface Checkpoint {
  /** Entries that it stands for. */
  position: number;
  /** What the run waited for: held against the entry of its rest, and against what is made of it. */
  mark: string;
  actor: KeptActor;
  scopes: KeptScope[];
  decisions: KeptDecisions;
  /** Only of what is watched from its first event on. */
  view?: ViewMemory;
}

/** Of each chart that is at work in it. */
export type ChartVersions = Readonly<Record<string, string>>;

/** Entries between two checkpoints, unless the run is told otherwise: replaying fewer is nothing. */
export const CHECKPOINT_EVERY = 256;

/** @param charts by which it was made. */
export function checkpointToText(runId: string, checkpoint: Checkpoint, charts: ChartVersions = CHART_VERSIONS): string {
  const json = JSON.stringify({ charts, ...checkpoint, actor: pack(checkpoint.actor), scopes: pack(checkpoint.scopes) });
  return `["${sumOf(runId, json)}",${json}]`;
}

/** Nothing for one that was changed, was made by other charts than those of today, or is of another run: the entries tell all that it could. */
export function checkpointFromText(runId: string, text: string, today: ChartVersions = CHART_VERSIONS): Checkpoint | undefined {
  const [, sum, json] = /^\["([0-9a-z]+)",(.*)\]$/s.exec(text) ?? [];
  if (json === undefined || sum !== sumOf(runId, json)) return undefined;
  const { charts, ...kept } = JSON.parse(json) as Checkpoint & { charts: ChartVersions }; // its sum holds
  const isOfToday = Object.entries(today).every(([name, version]) => charts[name] === version);
  if (!isOfToday) return undefined;
  return { ...kept, actor: revived(unpack(kept.actor) as KeptActor), scopes: unpack(kept.scopes) as KeptScope[] }; // as written above
}

const sumOf = (runId: string, json: string) => checksum(`${runId} checkpoint ${json}`);

/** Logs are lists in JSON, and logs again here; where they are, the charts say. */
function revived(root: KeptActor): KeptActor {
  if (!('queue' in root.context)) return revivedRun(root);
  root.context.history = Log.of(root.context.history);
  root.context.marks = Log.of(root.context.marks);
  for (const run of runsOf(root)) revivedRun(run);
  return root;
}

function revivedRun(run: KeptActor): KeptActor {
  for (const agent of childrenOf(run, 'agent.')) {
    const { conversation } = agent.context;
    conversation.history = Log.of(conversation.history);
    conversation.generated = Log.of(conversation.generated);
    for (const turn of childrenOf(agent, 'turn.')) {
      turn.context.facts.history = Log.of(turn.context.facts.history);
      for (const call of childrenOf(turn, 'toolCall.')) for (const nested of childrenOf(call, 'run')) revivedRun(nested);
    }
  }
  return run;
}

const childrenOf = ({ children }: KeptActor, prefix: string): KeptActor[] =>
  Object.entries(children).flatMap(([id, child]) => (child && id.startsWith(prefix) ? [child.snapshot] : []));

/** The runs of a thread. */
const runsOf = (thread: KeptActor) => [...childrenOf(thread, 'run.'), ...childrenOf(thread, 'background.')];

/** The runs inside of a run or a thread that are under way, outer ones first: what each was started with. */
export function nestedRuns(run: KeptActor): RunInput[] {
  if ('queue' in run.context) return runsOf(run).flatMap((one) => [{ ...one.context.facts, agent: one.context.agent }, ...nestedRuns(one)]);
  const calls = childrenOf(run, 'agent.').flatMap((agent) => childrenOf(agent, 'turn.')).flatMap((turn) => childrenOf(turn, 'toolCall.'));
  return calls.flatMap((call) => childrenOf(call, 'run').flatMap((nested) => [{ ...nested.context.facts, agent: call.context.agent }, ...nestedRuns(nested)]));
}
