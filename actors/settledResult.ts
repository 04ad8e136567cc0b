/** The result of a nested run, for the app's own extractor: there is nothing to go on with. */
import type { RunOutcome } from '../machines/protocol/outcome.ts';
import { RunResult } from './result.ts';
import { RunState } from './runState.ts';
import type { RunScope } from './scope.ts';

export const settledResult = (scope: RunScope, outcome: RunOutcome) =>
  new RunResult(
    new RunState({
      scope,
      outcome,
      crash: null,
      origin: {},
      entries: [],
      isLive: false,
      progress: { ...outcome, maxTurns: null },
      openDecisions: [],
      scopeOf: () => scope,
      callOf: () => undefined,
      checkAnswers: () => undefined,
      standing: () => 'unknown',
      steer: () => false,
      mail: () => false,
      decide: () => Promise.resolve(),
    }),
  );

