/** What an execution is given, and where it comes from when it is not new. */
import type { Checkpoints } from './checkpoints.ts';
import type { StreamOptions } from './eventReader.ts';
import type { Journal } from './journal.ts';
import type { RunHooks } from './lifecycle.ts';
import type { RunConfig } from './runOptions.ts';
import type { RunContext } from './runContext.ts';
import type { RunState } from './runState.ts';
import type { ViewListener } from './runView.ts';
import type { AnyAgent, AnyRunOptions, Pace } from './scope.ts';

export interface ExecutionOptions {
  agent: AnyAgent;
  config: Partial<RunConfig>;
  options: AnyRunOptions;
  hooks?: RunHooks<any, any>;
  stream: boolean;
  /** Requests are sent again also where the app says nothing about that (K1). */
  retryByDefault?: boolean;
  /** Hears the events of the stream of the Agents SDK. */
  onStream?: ViewListener;
  /** How its result is read, where it streams. */
  reading?: StreamOptions;
  pace?: Pace;
}

/** Where a run comes from that is not new. */
export interface ExecutionOrigin {
  /** The state to go on from. */
  state?: RunState<any, any>;
  runId?: string;
  threadId?: string;
  /** Where its entries are, unless the run is told otherwise. */
  journal?: Journal;
  runContext?: RunContext<any>;
  /** Where it stood at rest, as its journal keeps it. */
  checkpoint?: string;
  checkpoints?: Checkpoints;
  /** Agents that it may lead to and that the first one does not know of. */
  agents?: readonly AnyAgent[];
}
