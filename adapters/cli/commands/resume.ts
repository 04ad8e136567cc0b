/** `loopchart resume`: goes on with a recorded run, or a thread, in this process, wherever another one has left it. */
import type { Agent } from '../../../actors/agent.ts';
import { Execution } from '../../../actors/execution.ts';
import type { RunSummary } from '../../../actors/journal.ts';
import { stateFromJournal } from '../../../actors/resume.ts';
import type { JournalEntry } from '../../../machines/protocol/journal.ts';
import { agentsFrom } from '../agentGraph.ts';
import { type Audience, Conversation, type Ending } from '../conversation.ts';
import { CliError, type ExitCode } from '../exit.ts';
import { JsonOutput, jsonLine } from '../jsonOutput.ts';
import { inputText } from '../journal/entryText.ts';
import { findRun } from '../journal/finding.ts';
import { type OpenedJournal, openJournal } from '../journal/place.ts';
import { isThread, replayed } from '../journal/replayed.ts';
import { stateText } from '../journal/runTable.ts';
import { ago } from '../journal/times.ts';
import type { ResumeOptions } from '../options.ts';
import { CODES } from '../piped.ts';
import { PlainOutput } from '../plainOutput.ts';
import { isTripwire, recordingIn, wayOnAfter } from '../recording.ts';
import { pipesScene, terminalScene } from '../scene.ts';
import { type Stage, agentOf, openStage } from '../stage.ts';
import { RunWatch } from '../terminal/watch.ts';

type AnyAgent = Agent<any, any>; // `any`: a user's agent may have any context and output
/** What was meant, and all that is recorded of it. */
export interface Found { opened: OpenedJournal; run: RunSummary; entries: readonly JournalEntry[] }

export async function resumeRun(options: ResumeOptions): Promise<ExitCode> {
  const opened = await openJournal(options.journal, 'write');
  try {
    const run = await findRun(opened, options.runId);
    const found = { opened, run, entries: await opened.journal.read(run.runId) };
    if (isThread(found.entries)) return await (await import('./resumeThread.ts')).resumeThread(options, found);
    const isOver = run.state === 'settled' || run.state === 'interrupted';
    return await (isOver && !options.again ? tellEnd(options, found) : goOn(options, found, isOver));
  } finally {
    await opened.journal.close();
  }
}

/** Nothing of it is run, so that it needs neither agent nor provider. */
async function tellEnd(options: ResumeOptions, { opened, run, entries }: Found): Promise<ExitCode> {
  const { outcome, error, spent } = await replayed(run.runId, entries);
  const { stdout: out, stderr: errors } = process;
  const writer = options.json ? new JsonOutput({ out, showStacks: options.debug }) : new PlainOutput({ out, errors, showStacks: options.debug });
  out.write(options.json ? jsonLine(beginning(run)) : `${headOf(run)}\n`);
  const facts = { agent: outcome?.agent ?? run.agent, spent, ms: run.updatedAt - run.startedAt, runId: run.runId };
  const wayOn = run.status === 'completed' ? undefined : wayOnAfter(recordingIn(opened, run.threadId, options), { runId: run.runId, entries }, error);
  const ending: Ending = error !== undefined ? { ...facts, status: 'failed', error, wayOn }
    : run.state === 'interrupted' ? { ...facts, status: 'interrupted', wayOn }
    : { ...facts, status: 'completed', output: outcome?.output, wayOn };
  writer.settled(ending);
  return CODES[ending.status];
}

async function goOn(options: ResumeOptions, found: Found, isOver: boolean): Promise<ExitCode> {
  const { run, entries, opened } = found;
  if (isOver) checkEnd((await replayed(run.runId, entries)).error, found);
  const agents = agentsFrom(await agentOf(options));
  const agent = agents.find(({ name }) => name === run.agent);
  if (!agent) throw new CliError(missingAgent(options, run, agents));
  const begin = isOver ? await endOf(run, opened, agents) : await standingOf(run, entries, agents);
  const stage = await openStage(options, agent);
  try {
    return await (stage.isTerminal ? inTerminal : overPipes)({ options, found, stage, agents, begin });
  } finally {
    await stage.provider.close();
  }
}

/** @throws CliError for a run that ended in such a way that nothing follows. */
function checkEnd(error: unknown, { run: { runId, status }, opened }: Found): void {
  if (status === 'completed') throw new CliError(`Run ${runId} has its answer: there is nothing to go on with. See it with: loopchart resume ${runId}${opened.option}`);
  if (isTripwire(error)) throw new CliError(`Run ${runId} was stopped by a guardrail, which would not look again if it went on. Put the message another way, in a chat.`);
}

type Begin = (conversation: Conversation, controller: AbortController) => Promise<Ending>;

async function endOf({ runId }: RunSummary, { journal }: OpenedJournal, agents: readonly AnyAgent[]): Promise<Begin> {
  const state = await stateFromJournal<any>(runId, { journal, agents }); // `any`: as of agents
  return (conversation, controller) => conversation.again(state, controller);
}

/** Whoever goes on with a run hears once more what has happened, and people have seen it: they are told what is new. */
async function standingOf({ runId, agent: name }: RunSummary, entries: readonly JournalEntry[], agents: readonly AnyAgent[]): Promise<Begin> {
  let heard = 0;
  const onEvent = ({ number }: { number: number | string }) => void (typeof number === 'number' && (heard = number));
  const agent = agents.find((one) => one.name === name)!; // it was looked for before
  const execution = new Execution({ agent, config: {}, options: { onEvent }, stream: false }, { runId, agents });
  await execution.revive(entries);
  return (conversation, controller) => conversation.resume({ runId, heard }, controller);
}

function missingAgent({ agentFile }: ResumeOptions, { runId, agent }: RunSummary, agents: readonly AnyAgent[]): string {
  const known = agents.map(({ name }) => `"${name}"`).join(', ');
  if (agentFile !== undefined) return `Run ${runId} was started with agent "${agent}", and ${agentFile} has ${known}. Name the file that has it.`;
  return `Run ${runId} was started with agent "${agent}", which the built-in support desk does not have. Name the file that has it: loopchart resume ${runId} AGENT_FILE`;
}

interface Play { options: ResumeOptions; found: Found; stage: Stage; agents: readonly AnyAgent[]; begin: Begin }

async function inTerminal(play: Play): Promise<ExitCode> {
  const { run, entries } = play.found;
  const watch = new RunWatch(terminalScene(play.options), play.options.approve);
  const conversation = conversationOn(play, watch);
  return watch.watch((controller) => play.begin(conversation, controller), { greeting: [headOf(run)], message: inputText(entries) });
}

async function overPipes(play: Play): Promise<ExitCode> {
  const { options, found: { run, entries }, begin } = play;
  const { writer, audience, stop } = pipesScene(options, { canWait: true, wayOn: () => conversation.wayOn });
  const conversation = conversationOn(play, audience);
  if (options.json) process.stdout.write(jsonLine(beginning(run)));
  else {
    process.stdout.write(`${headOf(run)}\n\n`);
    writer.said(inputText(entries));
  }
  const controller = new AbortController();
  stop.addEventListener('abort', () => controller.abort());
  return CODES[(await begin(conversation, controller)).status];
}

function conversationOn({ options, found, stage, agents }: Play, audience: Audience): Conversation {
  return new Conversation({ agent: stage.agent, agents, runner: stage.runner, model: options.model, audience, recording: recordingIn(found.opened, found.run.threadId, options) });
}

const beginning = ({ runId, threadId, agent, state, status, length }: RunSummary) => ({ type: 'resume', runId, ...(threadId !== undefined && { threadId }), agent, state, ...(status && { status }), length });

function headOf(run: RunSummary): string {
  const when = `begun ${ago(run.startedAt, Date.now())}, ${run.length} ${run.length === 1 ? 'entry' : 'entries'}`;
  const thread = run.threadId === undefined ? '' : `, thread ${run.threadId}`;
  return `Run ${run.runId} of agent ${run.agent}${thread}: ${stateText(run)} (${when})`;
}
