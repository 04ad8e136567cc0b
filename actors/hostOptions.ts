/** What a host is given, and who watches its effects. */
import type { InspectionEvent } from 'xstate';
import type { LoopEvent } from '../machines/protocol/event.ts';
import type { RecordedOutcome } from '../machines/protocol/journal.ts';
import type { Journal } from './journal.ts';
import type { RootChart } from './rootChart.ts';
import type { ViewMemory } from './viewParts.ts';
import type { EffectName, OpenEffectsOptions } from './openEffects.ts';

export interface EffectWatcher {
  begun(src: EffectName, input: any): void; // `any`: each effect has the input of its leaf
  ended(src: EffectName, input: any, outcome: RecordedOutcome): void;
  /** A body that had been left behind has ended all the same (C8). @param isRecorded it is told again on replay. */
  late(id: string, outcome: RecordedOutcome, isRecorded: boolean): void;
  /** What it has added up to, for a checkpoint; nothing where that cannot be kept. */
  readonly memory?: ViewMemory;
  recall(memory: ViewMemory): void;
}

export interface HostOptions extends OpenEffectsOptions {
  /** Of the run, or of the thread. */
  runId: string;
  /** Default: a run. */
  chart?: RootChart;
  /** The conversation by which the run is listed. */
  threadId?: string;
  journal: Journal;
  /** Called whenever everything that came in has been applied. */
  onRest: () => void;
  onEvent?: (event: LoopEvent) => void;
  /** What was said about this call is recorded. */
  onDecided?: (id: string) => void;
  /** Sees effects begin and end; on replay too. */
  watcher?: EffectWatcher;
  inspect?: (event: InspectionEvent) => void;
}
