import { type DoneActorEvent, assign, emit, enqueueActions, sendTo, setup, stopChild } from 'xstate';
import type { CompactorLeaf } from './agentLeaves.ts';
import type { CompactorOutcome } from './compaction.ts';
import { actorIdOf, eventOf, outputOf } from './eventFields.ts';
import type { Downward, Upward } from './protocol/command.ts';
import type { LoopEvent } from './protocol/event.ts';
import type { EffectOutcome } from './protocol/failure.ts';
import type { RunOutcome } from './protocol/outcome.ts';
import type { QueueEntry, RejectReason, ThreadCommand, ThreadInput, ThreadOutcome, ThreadState } from './protocol/thread.ts';
import { runMachine } from './run.ts';
import { slot } from './slot.ts';
import {
  type Told, backgroundOf, declined, endOf, entryAsked, entryOf, injecting, interruption, isExpected, isForRun, isPoint, joining, nextRevert, nextRun, posted, runEnded, steering,
} from './threadCommands.ts';
import { canCompact, compacted, compactionBegun, compactionEnded, compactionStarted, compactorInput } from './threadCompaction.ts';
import { type GoalChange, type Phase, accepted, answered, beginningEvents, mailboxChanged, phaseChanged, wentBack, whereabouts } from './threadEvents.ts';
import type { GoalLeaf, GoalOutcome, ReportLeaf, ReportOutcome } from './threadLeaves.ts';
import {
  type Beginning, type Report, type ThreadContext, asked, backgroundBegun, begun, contextOf, edited, fromGoal, fromMail, fromQueue, inputTakenBack, isHeld, moved, outcomeOf, recordRun, reported, reporting, returnedItems, reverted, runActorId, somethingWaits,
} from './threadMemory.ts';

/** A conversation: history, queue and mailbox; at most one run at a time. */
export const threadMachine = setup({
  types: {} as {
    context: ThreadContext;
    events: ThreadCommand | Upward | DoneActorEvent<RunOutcome, `run.${string}`> | DoneActorEvent<RunOutcome, `background.${string}`> | DoneActorEvent<ReportOutcome, `report.${string}`>;
    input: ThreadInput;
    output: ThreadOutcome;
    emitted: LoopEvent;
  },
  actors: { run: runMachine, background: runMachine, compactor: slot<CompactorLeaf>('compactor'), goal: slot<GoalLeaf>('goal'), report: slot<ReportLeaf>('report') },
  guards: {
    isOfRun: ({ context }, { id }: Upward) => id === context.current?.runId,
    isOfBackground: ({ context }, { path }: { path?: string }) => backgroundOf(context, path) !== undefined,
    isForNoBackground: ({ context }, { path }: { path?: string }) => backgroundOf(context, path) === undefined,
    /** Meant for the run that is going, as far as it says which (P5, L7). */
    isForRun: ({ context }, told: ThreadCommand) => isForRun(context, told),
    /** Meant for whatever is going: what names a run or a path finds none between two runs. */
    isForAll: (_, { expectedRunId, path }: Told<'thread.interrupt'>) => expectedRunId === undefined && path === undefined,
    isKnownBackground: ({ context }, { id }: ThreadCommand) => context.begunBy.includes(id),
    steers: (_, { whenBusy }: Told<'thread.run'>) => whenBusy === 'steer',
    replaces: (_, { whenBusy }: Told<'thread.run'>) => whenBusy === 'replace',
    isExpected: ({ context }, told: ThreadCommand) => isExpected(context, told),
    isUnwanted: ({ context }, told: Told<'thread.run'>) => !isExpected(context, told) || told.whenBusy === 'reject',
    isUnheard: ({ context }, told: Told<'thread.run'>) => !isExpected(context, told) || told.whenBusy === 'steer' || told.whenBusy === 'reject',
    isQueued: ({ context }, told: Told<'queue.edit' | 'queue.move' | 'queue.remove'>) => context.queue.some(({ id }) => id === entryOf(told)),
    isRule: ({ context }, { ruleId }: { ruleId: string }) => context.rules.some(({ id }) => id === ruleId),
    isPoint: ({ context }, told: Told<'thread.revert'>) => isPoint(context, told),
    hasWakingMail: ({ context }) => context.mailbox.some(({ triggerTurn }) => triggerTurn),
    hasQueued: ({ context }) => context.queue.length > 0,
    somethingWaits: ({ context }) => somethingWaits(context),
    mustJudge: ({ context }) => context.goal !== null && !somethingWaits(context),
    endsGoal: (_, { goal }: Told<'thread.goal'>) => goal === null,
    isHeld: ({ context }) => isHeld(context),
    /** The app makes the result of what it brought. */
    isExtracted: ({ context }, { id, outcome }: { id: string; outcome: RunOutcome }) => outcome.status === 'completed' && context.background[id]?.extracts === true,
    canCompact: ({ context }) => canCompact(context),
    mustCompact: ({ context }) => context.compactionAsked === true && canCompact(context),
    followsRun: ({ context }) => context.compactionAsked === true,
    isRunOver: ({ context }) => context.current === null,
    isDrained: ({ context }) => context.current === null && Object.keys(context.background).length === 0,
    isReplaced: ({ context }) => context.next?.type === 'thread.run' && context.current === null,
    isReverting: ({ context }) => context.next?.type === 'thread.revert' && context.current === null,
    replacesNothing: ({ context }, { whenBusy }: Told<'thread.run'>) => whenBusy === 'replace' && context.next === null,
    isNextPoint: ({ context }, told: Told<'thread.revert'>) => context.next === null && isPoint(context, told),
    goalReached: (_, outcome: GoalOutcome) => outcome.status === 'ok' && outcome.value.done,
    goalExhausted: ({ context }) => context.goal === null || context.goal.runs >= context.goal.maxRuns,
    hasFailed: (_, outcome: EffectOutcome<unknown>) => outcome.status === 'error',
  },
  actions: {
    announceStart: emit(({ context }) => ({ type: 'thread.started', ...whereabouts(context), ...(context.facts.forkedFrom && { forkedFrom: context.facts.forkedFrom }) })),
    announceState: emit(({ context }, state: ThreadState) => ({ type: 'thread.changed', ...whereabouts(context), state })),
    announcePhase: emit(({ context }, phase: Phase) => phaseChanged(context, phase)),
    announceQueue: emit(({ context }) => ({ type: 'queue.changed', ...whereabouts(context), queue: context.queue })),
    announceMailbox: emit(({ context }) => mailboxChanged(context, context.mailbox)),
    announceRules: emit(({ context }) => ({ type: 'rules.changed', ...whereabouts(context), rules: context.rules })),
    announceGoal: emit(({ context }, why: GoalChange) => ({ type: 'goal.changed', ...whereabouts(context), goal: context.goal, why })),
    announceInjected: emit(({ context }, { items }: Told<'thread.inject'>) => ({ type: 'history.injected', ...whereabouts(context), items })),
    accept: emit(({ context }, told: ThreadCommand) => accepted(context, told)),
    /** There is nothing to do, or it cannot be done. */
    decline: emit(({ context }, told: ThreadCommand) => answered(context, told, declined(context, told))),
    refuse: emit(({ context }, { told, reason }: { told: ThreadCommand; reason: RejectReason }) => answered(context, told, { status: 'rejected', reason })),
    /** The run is begun, and what it begins with announced. */
    begin: enqueueActions(({ context, enqueue }, beginning: Beginning) => {
      const { changes, input } = begun(context, beginning);
      enqueue.assign(changes);
      for (const event of beginningEvents(context, beginning, { changes, input })) enqueue.emit(event);
      enqueue.spawnChild('run', { id: `run.${changes.count}`, input });
      for (const mail of changes.passed ?? []) enqueue.sendTo(`run.${changes.count}`, posted(mail));
    }),
    /** What it was given and did not deliver is back: mail, and items that now stand in the history. */
    recordRun: enqueueActions(({ context, enqueue }, outcome: RunOutcome) => {
      const [changes, items] = [recordRun(context, outcome), returnedItems(context, outcome)];
      if (context.passed.length > 0) enqueue.emit(mailboxChanged(context, changes.mailbox!));
      if (items.length > 0) enqueue.emit({ type: 'history.injected', ...whereabouts(context), items });
      enqueue.assign(changes);
    }),
    stopThat: stopChild((_, id: string) => id),
    beginBackground: enqueueActions(({ context, enqueue }, told: Told<'background.start'>) => {
      const { changes, id, input } = backgroundBegun(context, told);
      enqueue.assign(changes);
      enqueue.spawnChild('background', { id, input });
    }),
    beginReport: enqueueActions(({ context, enqueue }, { id: ended, outcome }: { id: string; outcome: RunOutcome }) => {
      const { changes, id, input } = reporting(context, ended, outcome);
      enqueue.assign(changes);
      enqueue.spawnChild('report', { id, input });
    }),
    keepReport: assign(({ context }, report: Report) => reported(context, report, 'mailbox')),
    passReport: enqueueActions(({ context, enqueue }, report: Report) => {
      const changes = reported(context, report, 'passed');
      enqueue.assign(changes);
      enqueue.sendTo(runActorId(context), posted(changes.passed!.at(-1)!));
    }),
    passToBackground: enqueueActions(({ context, enqueue }, { path, event }: { path?: string; event: Downward }) => enqueue.sendTo(backgroundOf(context, path)!, event)),
    interruptBackgrounds: enqueueActions(({ context, enqueue }, told: { at: number }) => {
      for (const [actorId, { isOver }] of Object.entries(context.background)) if (!isOver) enqueue.sendTo(actorId, { type: 'interrupt', reason: 'user', at: told.at });
    }),
    pass: sendTo(({ context }) => runActorId(context), (_, event: Downward) => event),
    notePassed: assign(({ context }, { mail }: Told<'thread.mail'>) => ({ passed: [...context.passed, mail] })),
    /** Where the history goes back, what was put into it before goes too. */
    keepNext: assign(({ context }, next: Told<'thread.run' | 'thread.revert'>) => ({ next, ...(next.type === 'thread.revert' && { injected: [] }) })),
    noteEnd: assign((_, ended: 'interrupted' | null) => ({ ended, compactionAsked: undefined })),
    revert: enqueueActions(({ context, enqueue }, told: Told<'thread.revert'>) => {
      const changes = reverted(context, told);
      for (const event of [...inputTakenBack(context), wentBack(context, told, changes)]) enqueue.emit(event);
      enqueue.assign(changes);
    }),
    inject: assign(({ context }, { items }: Told<'thread.inject'>) => ({ history: context.history.append(items) })),
    injectLater: assign(({ context }, { items }: Told<'thread.inject'>) => ({ injected: [...context.injected, ...items] })),
    keepMail: assign(({ context }, { mail }: Told<'thread.mail'>) => ({ mailbox: [...context.mailbox, mail] })),
    keepEntry: assign(({ context }, { entry }: { entry: QueueEntry }) => ({ queue: [...context.queue, entry] })),
    editEntry: assign(({ context }, { entry }: Told<'queue.edit'>) => ({ queue: edited(context.queue, entry) })),
    moveEntry: assign(({ context }, { entryId, to }: Told<'queue.move'>) => ({ queue: moved(context.queue, entryId, to) })),
    removeEntry: assign(({ context }, { entryId }: Told<'queue.remove'>) => ({ queue: context.queue.filter(({ id }) => id !== entryId) })),
    addRule: assign(({ context }, { rule }: Told<'rule.add'>) => ({ rules: [...context.rules.filter(({ id }) => id !== rule.id), rule] })),
    removeRule: assign(({ context }, { ruleId }: Told<'rule.remove'>) => ({ rules: context.rules.filter(({ id }) => id !== ruleId) })),
    setGoal: assign((_, { goal }: Told<'thread.goal'>) => ({ goal: goal && { ...goal, runs: 0 } })),
    dropGoal: assign({ goal: null }),
    reword: assign(({ context }, outcome: GoalOutcome) => (outcome.status === 'ok' && outcome.value.message !== undefined && context.goal ? { goal: { ...context.goal, message: outcome.value.message } } : {})),
    countEffect: assign(({ context }) => ({ ordinal: context.ordinal + 1 })),
    beginCompaction: assign(({ context }) => compactionBegun(context)),
    announceCompaction: emit(({ context }) => compactionStarted(context)),
    announceCompacted: emit(({ context }, outcome: CompactorOutcome) => compactionEnded(context, outcome)),
    takeCompaction: assign(({ context }, outcome: CompactorOutcome) => compacted(context, outcome)),
  },
}).createMachine({
  id: 'thread',
  version: '1',
  description: 'A conversation: history, queue and mailbox; at most one run at a time.',
  options: { maxIterations: 1000 },
  context: ({ input }) => contextOf(input),
  output: ({ context }) => outcomeOf(context),
  entry: 'announceStart',
  meta: { spawns: ['background', 'report'] },
  initial: 'idle',
  on: {
    'thread.*': { actions: { type: 'decline', params: eventOf } },
    'queue.*': { actions: { type: 'decline', params: eventOf } },
    'queue.add': { actions: [{ type: 'keepEntry', params: eventOf }, 'announceQueue', { type: 'accept', params: eventOf }] },
    'queue.edit': [{ guard: { type: 'isQueued', params: eventOf }, actions: [{ type: 'editEntry', params: eventOf }, 'announceQueue', { type: 'accept', params: eventOf }] }, { actions: { type: 'decline', params: eventOf } }],
    'queue.move': [{ guard: { type: 'isQueued', params: eventOf }, actions: [{ type: 'moveEntry', params: eventOf }, 'announceQueue', { type: 'accept', params: eventOf }] }, { actions: { type: 'decline', params: eventOf } }],
    'queue.remove': [{ guard: { type: 'isQueued', params: eventOf }, actions: [{ type: 'removeEntry', params: eventOf }, 'announceQueue', { type: 'accept', params: eventOf }] }, { actions: { type: 'decline', params: eventOf } }],
    'rule.add': { actions: [{ type: 'addRule', params: eventOf }, 'announceRules', { type: 'accept', params: eventOf }] },
    'rule.remove': [{ guard: { type: 'isRule', params: eventOf }, actions: [{ type: 'removeRule', params: eventOf }, 'announceRules', { type: 'accept', params: eventOf }] }, { actions: { type: 'decline', params: eventOf } }],
    'thread.goal': [
      { guard: { type: 'endsGoal', params: eventOf }, actions: ['dropGoal', { type: 'announceGoal', params: 'removed' }, { type: 'accept', params: eventOf }] },
      { actions: [{ type: 'setGoal', params: eventOf }, { type: 'announceGoal', params: 'set' }, { type: 'accept', params: eventOf }] },
    ],
    'thread.mail': { actions: [{ type: 'keepMail', params: eventOf }, 'announceMailbox', { type: 'accept', params: eventOf }] },
    'thread.inject': { actions: [{ type: 'inject', params: eventOf }, { type: 'announceInjected', params: eventOf }, { type: 'accept', params: eventOf }] },
    'thread.steer': [
      { guard: { type: 'isOfBackground', params: eventOf }, actions: [{ type: 'accept', params: eventOf }, { type: 'passToBackground', params: ({ event }) => ({ path: event.path, event: steering(event) }) }] },
      { actions: { type: 'decline', params: eventOf } },
    ],
    'thread.interrupt': [
      { guard: { type: 'isOfBackground', params: eventOf }, actions: [{ type: 'accept', params: eventOf }, { type: 'passToBackground', params: ({ event }) => ({ path: event.path, event: interruption(event) }) }] },
      { actions: { type: 'decline', params: eventOf } },
    ],
    'background.start': [
      { guard: { type: 'isKnownBackground', params: eventOf }, actions: { type: 'decline', params: eventOf } },
      { actions: [{ type: 'beginBackground', params: eventOf }, { type: 'accept', params: eventOf }] },
    ],
    'xstate.done.actor.background.*': [
      { guard: { type: 'isExtracted', params: runEnded }, actions: [{ type: 'beginReport', params: runEnded }, { type: 'stopThat', params: actorIdOf }] },
      { actions: [{ type: 'keepReport', params: endOf }, { type: 'stopThat', params: actorIdOf }, 'announceMailbox'] },
    ],
    'xstate.done.actor.report.*': { actions: [{ type: 'keepReport', params: endOf }, { type: 'stopThat', params: actorIdOf }, 'announceMailbox'] },
  },
  states: {
    idle: {
      description: 'Nothing is going. What waits begins at once.',
      entry: { type: 'announceState', params: 'idle' },
      always: [
        { guard: 'hasWakingMail', target: 'active.going', actions: { type: 'begin', params: ({ context }) => fromMail(context) } },
        { guard: 'hasQueued', target: 'active.going', actions: [{ type: 'begin', params: ({ context }) => fromQueue(context) }, 'announceQueue'] },
      ],
      on: {
        'thread.run': { guard: { type: 'isExpected', params: eventOf }, target: 'active.going', actions: [{ type: 'begin', params: ({ event }) => asked(event) }, { type: 'accept', params: eventOf }] },
        'thread.compact': { guard: 'canCompact', target: 'active.between.compacting', actions: { type: 'accept', params: eventOf } },
        'thread.revert': { guard: { type: 'isPoint', params: eventOf }, actions: [{ type: 'revert', params: eventOf }, { type: 'accept', params: eventOf }] },
        'thread.close': { target: 'active.closing', actions: [{ type: 'accept', params: eventOf }, { type: 'interruptBackgrounds', params: eventOf }] },
      },
    },
    active: {
      tags: ['busy'],
      initial: 'going',
      states: {
        going: {
          meta: { spawns: ['run'] },
          on: {
            'xstate.done.actor.run.*': { target: 'concluding', actions: [{ type: 'recordRun', params: outputOf }, { type: 'stopThat', params: actorIdOf }] },
            'xstate.done.actor.background.*': [
              { guard: { type: 'isExtracted', params: runEnded }, actions: [{ type: 'beginReport', params: runEnded }, { type: 'stopThat', params: actorIdOf }] },
              { actions: [{ type: 'passReport', params: endOf }, { type: 'stopThat', params: actorIdOf }] },
            ],
            'xstate.done.actor.report.*': { actions: [{ type: 'passReport', params: endOf }, { type: 'stopThat', params: actorIdOf }] },
            'thread.run': [
              { guard: { type: 'isUnwanted', params: eventOf }, actions: { type: 'decline', params: eventOf } },
              { guard: { type: 'steers', params: eventOf }, actions: [{ type: 'accept', params: eventOf }, { type: 'pass', params: ({ event }) => joining(event.id, event.input) }] },
              { guard: { type: 'replaces', params: eventOf }, target: 'stopping', actions: [{ type: 'keepNext', params: eventOf }, { type: 'accept', params: eventOf }, { type: 'pass', params: ({ event }) => interruption(event) }] },
              { actions: [{ type: 'keepEntry', params: ({ event }) => entryAsked(event) }, 'announceQueue', { type: 'accept', params: eventOf }] },
            ],
            'thread.steer': { guard: { type: 'isForRun', params: eventOf }, actions: [{ type: 'accept', params: eventOf }, { type: 'pass', params: ({ event }) => steering(event) }] },
            'thread.interrupt': { guard: { type: 'isForRun', params: eventOf }, target: 'stopping', actions: [{ type: 'accept', params: eventOf }, { type: 'pass', params: ({ event }) => interruption(event) }] },
            'thread.softStop': { guard: { type: 'isForRun', params: eventOf }, actions: [{ type: 'accept', params: eventOf }, { type: 'pass', params: { type: 'softStop' } }] },
            'thread.compact': { actions: [{ type: 'accept', params: eventOf }, { type: 'pass', params: { type: 'compact' } }] },
            'thread.mail': { actions: [{ type: 'accept', params: eventOf }, { type: 'notePassed', params: eventOf }, { type: 'pass', params: ({ event }) => posted(event.mail) }] },
            'thread.inject': { actions: [{ type: 'accept', params: eventOf }, { type: 'pass', params: ({ event }) => injecting(event) }] },
            'thread.revert': { guard: { type: 'isPoint', params: eventOf }, target: 'stopping', actions: [{ type: 'keepNext', params: eventOf }, { type: 'accept', params: eventOf }, { type: 'pass', params: ({ event }) => interruption(event) }] },
            'thread.close': { target: 'closing', actions: [{ type: 'accept', params: eventOf }, { type: 'interruptBackgrounds', params: eventOf }, { type: 'pass', params: ({ event }) => interruption(event) }] },
          },
          initial: 'running',
          states: {
            running: {
              description: 'A run is going.',
              entry: { type: 'announcePhase', params: 'running' },
              on: { 'child.waits': { guard: { type: 'isOfRun', params: eventOf }, target: 'awaitingApproval' } },
            },
            awaitingApproval: {
              tags: ['waitingForHuman'],
              description: 'The run can only go on when a person decides.',
              entry: { type: 'announcePhase', params: 'awaitingApproval' },
              on: { 'child.goes': { guard: { type: 'isOfRun', params: eventOf }, target: 'running' } },
            },
          },
        },
        concluding: { always: [
          { guard: 'mustCompact', target: 'between.compacting' },
          { guard: 'isHeld', target: '#thread.paused' },
          { guard: 'mustJudge', target: 'between.judging' },
          { target: '#thread.idle' },
        ] },
        between: {
          on: {
            'thread.run': [
              { guard: { type: 'isUnheard', params: eventOf }, actions: { type: 'decline', params: eventOf } },
              { guard: { type: 'replaces', params: eventOf }, target: 'going', actions: [{ type: 'begin', params: ({ event }) => asked(event) }, { type: 'accept', params: eventOf }] },
              { actions: [{ type: 'keepEntry', params: ({ event }) => entryAsked(event) }, 'announceQueue', { type: 'accept', params: eventOf }] },
            ],
            'thread.interrupt': { guard: { type: 'isForAll', params: eventOf }, target: '#thread.paused', actions: [{ type: 'noteEnd', params: 'interrupted' }, { type: 'accept', params: eventOf }] },
            'thread.revert': { guard: { type: 'isPoint', params: eventOf }, target: '#thread.paused', actions: [{ type: 'noteEnd', params: 'interrupted' }, { type: 'revert', params: eventOf }, { type: 'accept', params: eventOf }] },
            'thread.close': { target: 'closing', actions: [{ type: 'accept', params: eventOf }, { type: 'interruptBackgrounds', params: eventOf }] },
          },
          initial: 'compacting',
          states: {
            compacting: {
              description: 'The history is summed up, because somebody asked for it. What comes meanwhile stays behind it.',
              on: {
                'thread.steer': { guard: { type: 'isForNoBackground', params: eventOf }, actions: { type: 'refuse', params: ({ event }) => ({ told: event, reason: 'compacting' as const }) } },
                'thread.run': { guard: { type: 'steers', params: eventOf }, actions: { type: 'refuse', params: ({ event }) => ({ told: event, reason: 'compacting' as const }) } },
              },
              entry: ['beginCompaction', { type: 'announcePhase', params: 'compacting' }, 'announceCompaction'],
              invoke: {
                id: 'compactor',
                src: 'compactor',
                input: ({ context }) => compactorInput(context),
                onDone: [
                  { guard: 'followsRun', target: '#thread.active.concluding', actions: [{ type: 'announceCompacted', params: outputOf }, { type: 'takeCompaction', params: outputOf }] },
                  { guard: 'isHeld', target: '#thread.paused', actions: [{ type: 'announceCompacted', params: outputOf }, { type: 'takeCompaction', params: outputOf }] },
                  { target: '#thread.idle', actions: [{ type: 'announceCompacted', params: outputOf }, { type: 'takeCompaction', params: outputOf }] },
                ],
              },
            },
            judging: {
              description: 'A run has completed: is the goal reached?',
              on: { 'thread.goal': [
                { guard: { type: 'endsGoal', params: eventOf }, target: '#thread.idle', actions: ['dropGoal', { type: 'announceGoal', params: 'removed' }, { type: 'accept', params: eventOf }] },
                { target: 'judging', reenter: true, actions: [{ type: 'setGoal', params: eventOf }, { type: 'announceGoal', params: 'set' }, { type: 'accept', params: eventOf }] },
              ] },
              entry: ['countEffect', { type: 'announcePhase', params: 'judging' }],
              invoke: {
                id: 'goal',
                src: 'goal',
                input: ({ context }) => ({ effectId: `${context.facts.path}/goal.${context.ordinal}#1`, agent: context.agent, goal: context.goal!, history: context.history.toArray() }),
                onDone: [
                  { guard: { type: 'hasFailed', params: outputOf }, target: '#thread.paused', actions: [{ type: 'noteEnd', params: 'interrupted' }, 'dropGoal', { type: 'announceGoal', params: 'failed' }] },
                  { guard: { type: 'goalReached', params: outputOf }, target: '#thread.idle', actions: ['dropGoal', { type: 'announceGoal', params: 'done' }] },
                  { guard: 'goalExhausted', target: '#thread.idle', actions: ['dropGoal', { type: 'announceGoal', params: 'exhausted' }] },
                  { guard: 'somethingWaits', target: '#thread.idle', actions: { type: 'reword', params: outputOf } },
                  { target: '#thread.active.going', actions: [{ type: 'reword', params: outputOf }, { type: 'begin', params: ({ context }) => fromGoal(context) }, { type: 'announceGoal', params: 'goesOn' }] },
                ],
              },
            },
          },
        },
        stopping: {
          description: 'Interrupted: the run winds down, and then comes what was asked for.',
          entry: { type: 'announcePhase', params: 'stopping' },
          always: [
            { guard: 'isReplaced', target: 'going', actions: { type: 'begin', params: ({ context }) => nextRun(context) } },
            { guard: 'isReverting', target: '#thread.paused', actions: { type: 'revert', params: ({ context }) => nextRevert(context) } },
            { guard: 'isRunOver', target: '#thread.paused' },
          ],
          on: {
            'xstate.done.actor.run.*': { actions: [{ type: 'recordRun', params: outputOf }, { type: 'stopThat', params: actorIdOf }] },
            'thread.run': [
              { guard: { type: 'isUnheard', params: eventOf }, actions: { type: 'decline', params: eventOf } },
              { guard: { type: 'replacesNothing', params: eventOf }, actions: [{ type: 'keepNext', params: eventOf }, { type: 'accept', params: eventOf }] },
              { actions: [{ type: 'keepEntry', params: ({ event }) => entryAsked(event) }, 'announceQueue', { type: 'accept', params: eventOf }] },
            ],
            'thread.inject': { actions: [{ type: 'injectLater', params: eventOf }, { type: 'accept', params: eventOf }] },
            'thread.revert': { guard: { type: 'isNextPoint', params: eventOf }, actions: [{ type: 'keepNext', params: eventOf }, { type: 'accept', params: eventOf }] },
            'thread.close': { target: 'closing', actions: [{ type: 'accept', params: eventOf }, { type: 'interruptBackgrounds', params: eventOf }] },
          },
        },
        closing: {
          description: 'Closed for all that comes; what is going winds down.',
          entry: { type: 'announcePhase', params: 'closing' },
          always: { guard: 'isDrained', target: '#thread.closed' },
          on: {
            'xstate.done.actor.run.*': { actions: [{ type: 'recordRun', params: outputOf }, { type: 'stopThat', params: actorIdOf }] },
            'xstate.done.actor.background.*': { actions: [{ type: 'keepReport', params: endOf }, { type: 'stopThat', params: actorIdOf }, 'announceMailbox'] },
            'thread.*': { actions: { type: 'refuse', params: ({ event }) => ({ told: event, reason: 'closed' as const }) } },
            'queue.*': { actions: { type: 'refuse', params: ({ event }) => ({ told: event, reason: 'closed' as const }) } },
            'rule.*': { actions: { type: 'refuse', params: ({ event }) => ({ told: event, reason: 'closed' as const }) } },
            'background.start': { actions: { type: 'refuse', params: ({ event }) => ({ told: event, reason: 'closed' as const }) } },
          },
        },
      },
    },
    paused: {
      description: 'The last run did not complete: mail and queue wait until somebody says go on.',
      entry: { type: 'announceState', params: 'paused' },
      on: {
        'queue.resume': { target: 'idle', actions: [{ type: 'noteEnd', params: null }, { type: 'accept', params: eventOf }] },
        'thread.run': { guard: { type: 'isExpected', params: eventOf }, target: 'active.going', actions: [{ type: 'begin', params: ({ event }) => asked(event) }, { type: 'accept', params: eventOf }] },
        'thread.compact': { guard: 'canCompact', target: 'active.between.compacting', actions: { type: 'accept', params: eventOf } },
        'thread.revert': { guard: { type: 'isPoint', params: eventOf }, actions: [{ type: 'revert', params: eventOf }, { type: 'accept', params: eventOf }] },
        'thread.close': { target: 'active.closing', actions: [{ type: 'accept', params: eventOf }, { type: 'interruptBackgrounds', params: eventOf }] },
      },
    },
    closed: { type: 'final', description: 'Nothing is taken any more; what is there can be read and forked.', entry: { type: 'announceState', params: 'closed' } },
  },
});
