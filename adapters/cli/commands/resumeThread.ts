/** `loopchart resume` of a thread: talks on with a person; without one, what is under way goes on to its end, or to where it waits. */
import type { RunSummary } from '../../../actors/journal.ts';
import type { JournalEntry } from '../../../machines/protocol/journal.ts';
import type { Ending } from '../conversation.ts';
import { CliError, type ExitCode } from '../exit.ts';
import { JsonOutput, jsonLine } from '../jsonOutput.ts';
import { replayed } from '../journal/replayed.ts';
import { stateText } from '../journal/runTable.ts';
import { ago } from '../journal/times.ts';
import type { ResumeOptions } from '../options.ts';
import { CODES } from '../piped.ts';
import { PlainOutput } from '../plainOutput.ts';
import { type Recording, isTripwire, recordingIn } from '../recording.ts';
import { holdPrinting, pipesScene } from '../scene.ts';
import { agentOf, isTerminal, openStage } from '../stage.ts';
import { House } from '../thread/house.ts';
import { PipedThread } from '../thread/piped.ts';
import type { Found } from './resume.ts';

export async function resumeThread(options: ResumeOptions, found: Found): Promise<ExitCode> {
  const { run, entries, opened } = found;
  const recording = recordingIn(opened, run.runId, options);
  const isOver = run.state === 'idle' || run.state === 'paused' || run.state === 'closed';
  if (isOver && !options.again && (run.state === 'closed' || !isTerminal(options))) return tellEnd(options, found, recording);
  if (isOver && options.again) await checkEnd(run, entries, recording);
  if (isTerminal(options)) return (await import('./chat.ts')).chat({ ...options, thread: run.runId, again: options.again && isOver });
  return overPipes(options, found, { recording, isOver });
}

/** Nothing of it is run, so that it needs neither agent nor provider. */
async function tellEnd(options: ResumeOptions, { run, entries }: Found, recording: Recording): Promise<ExitCode> {
  const { outcome, error, spent } = await replayed(run.runId, entries);
  const { stdout: out, stderr: errors } = process;
  const writer = options.json ? new JsonOutput({ out, showStacks: options.debug }) : new PlainOutput({ out, errors, showStacks: options.debug });
  out.write(options.json ? jsonLine(beginning(run)) : `${headOf(run)}\n`);
  if (!outcome) return CODES.completed;
  const facts = { agent: outcome.agent, spent, ms: run.updatedAt - run.startedAt, runId: run.runId };
  const wayOn = run.state === 'paused' && !isTripwire(error) ? { wayOn: recording.command(run.runId, true) } : {};
  const ending: Ending = outcome.status === 'failed' ? { ...facts, ...wayOn, status: 'failed', error }
    : outcome.status === 'completed' ? { ...facts, status: 'completed', output: outcome.output }
    : { ...facts, ...wayOn, status: outcome.status };
  writer.settled(ending);
  return CODES[ending.status];
}

/** @throws CliError for a thread in which nothing is left to do. */
async function checkEnd({ runId, state }: RunSummary, entries: readonly JournalEntry[], recording: Recording): Promise<void> {
  if (state === 'closed') throw new CliError(`Thread ${runId} is closed. Fork it, in a chat: ${recording.chatting('ANOTHER')}`);
  const { outcome, error } = await replayed(runId, entries);
  if (!outcome || outcome.status === 'completed') throw new CliError(`Thread ${runId} has its answers: there is nothing to go on with. Say something new: ${recording.chatting(runId)}`);
  if (isTripwire(error)) throw new CliError(`The last run of thread ${runId} was stopped by a guardrail, which would not look again if it went on. Put the message another way: ${recording.chatting(runId)}`);
}

async function overPipes(options: ResumeOptions, { run, opened }: Found, { recording, isOver }: { recording: Recording; isOver: boolean }): Promise<ExitCode> {
  const agent = await agentOf(options);
  const stage = await openStage(options, agent);
  try {
    const house = new House({ agent, runner: stage.runner, model: options.model, journal: opened.journal });
    const { writer, person, stop } = pipesScene(options, { canWait: true, wayOn: () => piped.wayOn });
    const piped = new PipedThread({ writer, person, wayOn: (id, again) => recording.command(id, again) });
    const letPrint = options.json ? undefined : holdPrinting();
    piped.take(await house.open(run.runId, piped));
    process.stdout.write(options.json ? jsonLine(beginning(run)) : `${headOf(run)}\n\n`);
    if (!options.json) piped.recall();
    letPrint?.();
    stop.addEventListener('abort', () => void piped.interrupt());
    await (isOver ? piped.goOn() : piped.ended());
    await piped.release();
    return piped.code;
  } finally {
    await stage.provider.close();
  }
}

const beginning = ({ runId, agent, state, length }: RunSummary) => ({ type: 'resume', runId, threadId: runId, agent, state, length });

function headOf(run: RunSummary): string {
  return `Thread ${run.runId} of agent ${run.agent}: ${stateText(run)} (begun ${ago(run.startedAt, Date.now())}, ${run.length} ${run.length === 1 ? 'entry' : 'entries'})`;
}
