import { compactionItem } from '../../../machines/compaction.ts';
import type { Leaves } from '../../../machines/compose.ts';
import type { AgentInputItem } from '../../../machines/protocol/item.ts';
import type { ScreenInput } from '../../../machines/pendingInput.ts';
import type { Failure } from '../../../machines/protocol/failure.ts';
import type { RecordedOutcome } from '../../../machines/protocol/journal.ts';
import type { RunInput } from '../../../machines/protocol/outcome.ts';
import { type Call, type EffectClass, type Response, NO_USAGE } from '../../../machines/protocol/call.ts';
import { callItem, callOf, handoffTo, preparedFor, responseOf, resultItem, resultOf, said } from '../samples.ts';
import { isHarmful } from '../../../machines/toolCallMemory.ts';
import type { Begun, Op, World } from './world.ts';

export interface Scenario {
  name: string;
  input: Omit<RunInput, 'path'>;
  /** Ways in which an effect may end. */
  ends: (effect: Begun) => RecordedOutcome[];
  /** What a person may answer. */
  decisions: Extract<Op, { kind: 'decide' }>['decision'][];
  /** What a person may say of a call that may have had its effect. */
  resolutions?: Scenario['decisions'];
  /** What a person may say to a question. */
  answers?: Scenario['decisions'];
  /** How many bodies may be lost with their process. */
  deaths?: number;
  /** Commands that may come at any point, each once. */
  commands: ('steer' | 'mail' | 'softStop' | 'compact' | 'interrupt')[];
  /** Steers cut. */
  steerMode?: 'instant';
  /** What becomes complete next of an answer that is on its way. */
  readies?: (effect: Begun, count: number) => { item: AgentInputItem; call?: Call } | undefined;
}

export const done = (value: unknown): RecordedOutcome => ({ status: 'ok', value });
export const broken = (failure: Failure, retryInMs?: number): RecordedOutcome => ({ status: 'error', failure, ...(retryInMs === undefined ? {} : { retryInMs }) });

/** Everything that may happen next in this world, by the rules of the scenario. */
export function nextOps(world: World, { ends, decisions, resolutions = [], answers = [], deaths = 0, commands, steerMode, readies }: Scenario): Op[] {
  if (world.isSettled || world.host.crash) return [];
  const said = (kind: string) => world.host.entries.some((entry) => entry.type === 'command' && entry.command.type === kind);
  return [
    ...world.open.flatMap((effect) => ends(effect).map((outcome): Op => ({ kind: 'end', id: effect.id, outcome }))),
    ...world.open.flatMap((effect): Op[] => {
      const ready = readies?.(effect, world.host.entries.filter((entry) => entry.type === 'effect.item' && entry.id === effect.id).length);
      return ready ? [{ kind: 'item', id: effect.id, ...ready }] : [];
    }),
    ...world.timers.map((handle): Op => ({ kind: 'fire', id: String(handle) })),
    ...world.host.openDecisions.flatMap(({ id, uncertain, questions }) => (uncertain ? resolutions : questions ? answers : decisions).map((decision): Op => ({ kind: 'decide', id, decision }))),
    ...(deaths > 0 && world.open.some(isHarmfulBody) && lostIn(world) < deaths ? [{ kind: 'die' } as const] : []),
    ...commands.filter((command) => !said(command)).map((command): Op => (command === 'steer' || command === 'mail' ? { kind: command, id: `${command}ed`, ...(command === 'steer' && steerMode && { mode: steerMode }) } : { kind: command })),
  ];
}

const isHarmfulBody = ({ src, input }: Begun) => src === 'execute' && isHarmful(input.call);
const lostIn = ({ host }: World) => host.entries.filter(({ type }) => type === 'effect.lost').length;

/** Of the innermost run. */
export const turnOf = ({ id }: Pick<Begun, 'id'>): number => Number(/.*turn\.(\d+)/.exec(id)?.[1] ?? 0);

const failureAt = (code: Failure['code'], { id }: Pick<Begun, 'id'>): Failure => ({ code, message: `${code} in ${id}`, effectId: id });

/** Two calls side by side; a person is asked about the second. */
const twoCalls: Call[] = [callOf(0), callOf(1, { approval: 'always' })];
/** As above, of tools that it is harmful to run twice. */
const harmfulCalls: Call[] = [callOf(0, { effect: 'reconcilable' }), callOf(1, { effect: 'irreversible', approval: 'always', guardsOutput: true })];

const expertCalls: Call[] = [
  callOf(0, { guardsInput: true, guardsOutput: true }, { callId: 'expert_0', item: callItem('expert_0') }),
  callOf(1, { approval: 'ask' }, { callId: 'expert_1', item: callItem('expert_1') }),
];

const handoff: Response = {
  items: [callItem('to_expert', 'transfer_to_expert')], usage: NO_USAGE, calls: [], toolUse: 'run_llm_again', handoff: { ...handoffTo('expert'), item: callItem('to_expert', 'transfer_to_expert') },
};

const answer = (turn: number, guardsOutput: boolean): Response =>
  responseOf([], { items: [said(`answer of turn ${turn}`)], final: { output: `answer of turn ${turn}` }, guardsOutput, endsAgent: true });

interface Choices {
  session?: boolean;
  parallel?: string[];
  maxTurns?: number;
  /** Effects that may also fail. */
  fails?: (keyof Leaves)[];
  retries?: boolean;
  guardsOutput?: boolean;
  /** The expert calls tools of its own before it answers. */
  expertActs?: boolean;
  /** Input guardrails look at what joins, stop hooks at the answer, and there is a last turn without tools. */
  steered?: boolean;
  /** The tools of triage are harmful to run twice, and so many of their bodies may be lost with their process. */
  deaths?: number;
  decisions?: Scenario['decisions'];
  commands?: Scenario['commands'];
  /** Tokens of the conversation beyond which it is summed up. */
  limit?: number;
  /** The first request of the second turn does not fit. */
  overflows?: boolean;
}

/** Triage looks and pays at once, hands off to the expert, who answers. */
export function supportDesk(name: string, choices: Choices = {}): Scenario {
  const { session = false, parallel = ['g0', 'g1'], maxTurns = 4, fails = [], retries = false, steered = false } = choices;
  const steering = steered ? { screensInput: true, stopHooks: true, finalTurn: true } : {};
  const input = { agent: 'triage', prepared: preparedFor('triage', { session, parallel, maxTurns, ...steering, ...(choices.limit !== undefined && { compaction: { limit: choices.limit } }) }) };
  const ends = (effect: Begun): RecordedOutcome[] => {
    const outcomes = good(effect, choices);
    if (fails.includes(effect.src)) outcomes.push(broken(failureAt(FAILURES[effect.src] ?? 'user', effect)));
    if (choices.overflows && effect.src === 'model' && turnOf(effect) === 2) outcomes.push(broken(failureAt('contextWindow', effect)));
    if (retries && effect.src === 'model' && effect.input.attempt === 1) outcomes.push(broken(failureAt('model', effect), 250));
    return outcomes;
  };
  return { name, input, ends, decisions: choices.decisions ?? APPROVALS, resolutions: RESOLUTIONS, deaths: choices.deaths, commands: choices.commands ?? ['steer', 'softStop', 'interrupt'] };
}

/** As the support desk, with calls that begin while the model streams, and steers that cut its answers. */
export function hurriedDesk(name: string, choices: Choices = {}): Scenario {
  const desk = supportDesk(name, choices);
  const calls = choices.deaths === undefined ? twoCalls : harmfulCalls;
  const readies: Scenario['readies'] = ({ src, input, id }, count) => {
    if (src !== 'model' || input.attempt > 1) return undefined;
    if (input.agent === 'expert') return count === 0 ? { item: said('a part') } : undefined;
    const call = turnOf({ id }) === 1 ? calls[count] : undefined;
    return call && { item: call.item as AgentInputItem, call };
  };
  const ends = (effect: Begun): RecordedOutcome[] => {
    const { src, input } = effect;
    if (src === 'model' && input.ready) return [done({ ...responseOf(input.ready), items: input.kept })];
    return desk.ends(effect);
  };
  return { ...desk, ends, readies, steerMode: 'instant' };
}

/** The agent looks and asks a helper at once; the helper, a run of its own, has a call that waits for a person. */
export function nestedDesk(name: string, choices: Pick<Choices, 'fails' | 'commands'> = {}): Scenario {
  const { fails = [] } = choices;
  const calls: Call[] = [callOf(0), callOf(1, { delegates: true }, { name: 'helper' })];
  const ends = (effect: Begun): RecordedOutcome[] => {
    const failures = fails.includes(effect.src) ? [broken(failureAt(FAILURES[effect.src] ?? 'user', effect))] : [];
    return [...helped(effect, calls), ...failures];
  };
  const input = { agent: 'triage', prepared: preparedFor('triage', { maxTurns: 3 }) };
  return { name, input, ends, decisions: APPROVALS.filter(({ decision }, at) => decision === 'reject' || at === 0), commands: choices.commands ?? ['steer', 'softStop', 'interrupt'] };
}

/** The agent asks a helper; the helper asks the person, and has a tool, harmful if not told otherwise, whose body asks before it does anything. */
export function askingDesk(name: string, { effect: kind = 'irreversible', deaths }: { effect?: EffectClass; deaths?: number } = {}): Scenario {
  const calls: Call[] = [callOf(0, { delegates: true }, { name: 'helper' })];
  const inner: Call[] = [
    callOf(0, {}, { callId: 'helper_0', item: callItem('helper_0'), questions: [{ id: 'when', text: 'When?', schema: { type: 'string' } }] }),
    callOf(1, { effect: kind }, { callId: 'helper_1', item: callItem('helper_1') }),
  ];
  const ends = (effect: Begun): RecordedOutcome[] => {
    if (effect.src === 'execute' && effect.id.endsWith('#1') && effect.input.call.callId === 'helper_1') return [...helped(effect, calls), { status: 'asks', reason: 'it costs 500' }];
    return helped(effect, calls, inner);
  };
  const input = { agent: 'triage', prepared: preparedFor('triage', { maxTurns: 3 }) };
  return { name, input, ends, decisions: [{ decision: 'approve' }, EXPIRED], resolutions: RESOLUTIONS, answers: [{ decision: 'answer', answers: { when: 'now' } }, EXPIRED], commands: ['softStop', 'interrupt'], deaths };
}

const EXPIRED: Scenario['decisions'][number] = { decision: 'reject', message: 'too late', expired: true };

export function helped(effect: Begun, calls: Call[], inner = helperCalls): RecordedOutcome[] {
  const turn = turnOf(effect);
  if (effect.src === 'prepare') return [done(preparedFor('helper', { parallel: ['g0'], maxTurns: 3 }))];
  if (effect.src !== 'model') return good(effect, {});
  if (effect.input.agent === 'triage') return [done(turn === 1 ? responseOf(calls) : answer(turn, false))];
  return [done(turn === 1 ? responseOf(inner) : answer(turn, false))];
}

const helperCalls: Call[] = [
  callOf(0, { approval: 'always' }, { callId: 'helper_0', item: callItem('helper_0') }),
  callOf(1, {}, { callId: 'helper_1', item: callItem('helper_1') }),
];

const APPROVALS: Scenario['decisions'] = [{ decision: 'approve' }, { decision: 'approve', arguments: '{"amount":1}' }, { decision: 'reject', message: 'no' }];
const RESOLUTIONS: Scenario['decisions'] = [{ decision: 'approve' }, { decision: 'useResult', output: 'paid' }, { decision: 'reject' }];
const FAILURES: Partial<Record<keyof Leaves, Failure['code']>> = { model: 'model', execute: 'toolCall', session: 'session', inputGuardrail: 'guardrailExecution', compactor: 'compaction' };

function good(effect: Begun, choices: Choices): RecordedOutcome[] {
  const { src, input } = effect;
  switch (src) {
    case 'inputGuardrail':
      return [false, true].map((tripwireTriggered) => done({ index: input.index, name: input.name, tripwireTriggered }));
    case 'model':
      return [done(responseTo(effect, choices))];
    case 'execute':
      return [done(resultOf(input.call, { item: { ...resultItem(input.call.callId), status: 'completed' } }))];
    case 'reconcile':
      return [done({ happened: true, result: resultOf(input.call) }), done({ happened: false }), done({ happened: 'unknown' })];
    case 'handoffFilter':
      return [done({ target: 'expert', screensInput: choices.steered, records: [{ type: 'handoff_output_item', rawItem: resultItem('to_expert', 'transfer_to_expert'), agent: 'triage' }] })];
    case 'session':
      return [done({ saved: input.items.length })];
    case 'compactor':
      return [done({ item: compactionItem('so far', []), dropped: 0, usage: NO_USAGE })];
    case 'outputGuardrail':
      return [done({ failure: null }), done({ failure: { code: 'outputGuardrail', message: 'bad words' } })];
    case 'toolGuardrail':
      return [done({ result: null })];
    case 'approvalPolicy':
      return [done({ approval: 'granted' }), done({ approval: 'needed' })];
    case 'inputScreen':
      return [false, true].map((trips) => done(screened(input, trips)));
    case 'stopHook':
      return [done({ objections: [] }), done({ objections: [{ hook: 'h', text: 'not yet' }] })];
    case 'conclude':
    case 'agentEnd':
    case 'runError':
      return [done(null)];
    default:
      throw new Error(`The scenario does not say how "${src}" ends.`);
  }
}

const screened = ({ inputs }: ScreenInput, tripwireTriggered: boolean) => ({ ids: inputs.map(({ id }) => id), verdicts: inputs.map(({ id }) => ({ id, name: 'g', tripwireTriggered })) });

function responseTo(effect: Begun, { guardsOutput = false, expertActs = false, deaths }: Choices): Response {
  const turn = turnOf(effect);
  if (effect.input.agent === 'triage') return turn === 1 ? responseOf(deaths === undefined ? twoCalls : harmfulCalls) : handoff;
  return expertActs && effect.input.first ? responseOf(expertCalls) : answer(turn, guardsOutput);
}
