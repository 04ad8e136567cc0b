/** `loopchart/testing`: a scripted world to test agents in. Runs in a browser too. */
export { scriptedModel } from './scriptedModel.ts';
export type { RecordedCall, RecordedRequest, ScriptedModel } from './scriptedModel.ts';
export { answersWith, calls, cuts, delays, empty, fails, hangs, loop, refuses, repeat, responds, says, thinks } from './steps.ts';
export type {
  AnswerOptions, AnswerStep, CallsOptions, ComputedStep, DelayedStep, Disturbance, DisturbedStep, FailStep, RepeatedStep, SaysOptions,
  ScriptedCall, ScriptedPart, ScriptedUsage, SingleStep, Step,
} from './steps.ts';
export { ScriptError, ScriptedModelError } from './failures.ts';
export type { FailureOptions } from './failures.ts';
export { virtualClock } from './virtualClock.ts';
export type { PendingTimer, VirtualClock } from './virtualClock.ts';
export { faultyModel, faultyTool, withFaults } from './faults.ts';
export type { Fault, FaultableTool, FaultPlan, PlannedFault } from './faults.ts';
export { answered, asked, inputOf, normalise, requestOf, said, system, thought, user } from './expected.ts';
export type { NormalisedRequest, NormaliseOptions } from './expected.ts';
export { modelContract } from './modelContract.ts';
export type { ContractModel, MakeModel, ModelSituation } from './modelContract.ts';
export { journalContract } from './journalContract.ts';
export type { ContractJournal, MakeJournal } from './journalContract.ts';
export type { ContractCheck } from './demands.ts';
