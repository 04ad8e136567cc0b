/** `loopchart chat`: one thread, and what a person says to it. */
import type { Agent } from '../../../actors/agent.ts';
import { MemoryJournal } from '../../../actors/memoryJournal.ts';
import { agentsFrom } from '../agentGraph.ts';
import { DEMO_HINTS, TERMINAL_HINTS } from '../demo/supportDesk.ts';
import { EXIT, type ExitCode, UsageError } from '../exit.ts';
import { jsonLine } from '../jsonOutput.ts';
import { openJournal, tellDamaged } from '../journal/place.ts';
import { isThread } from '../journal/replayed.ts';
import type { ChatOptions } from '../options.ts';
import { type Recording, recordingIn } from '../recording.ts';
import { holdPrinting, pipesScene, terminalScene } from '../scene.ts';
import { type Stage, agentOf, openStage } from '../stage.ts';
import { Chat } from '../terminal/chat.ts';
import type { ThreadListener } from '../thread/hearing.ts';
import { House, type Opened, newThreadId } from '../thread/house.ts';
import { PipedThread, sayLines } from '../thread/piped.ts';
import { versionOfPackage } from '../version.ts';

type AnyAgent = Agent<any, any>; // `any`: a user's agent may have any context and output

/** What there is of the thread before the first word. */
interface Beginning { threadId: string; recording?: Recording; isThere: boolean }

export async function chat(options: ChatOptions): Promise<ExitCode> {
  const agent = await agentOf(options);
  const beginning = await beginningOf(options);
  try {
    return await chatWith(options, agent, beginning);
  } finally {
    await beginning.recording?.journal.close();
  }
}

async function chatWith(options: ChatOptions, agent: AnyAgent, beginning: Beginning): Promise<ExitCode> {
  const stage = await openStage(options, agent);
  try {
    const house = new House({ agent, runner: stage.runner, model: options.model, journal: beginning.recording?.journal ?? new MemoryJournal() });
    return await talk({ options, stage, house, beginning, open: (listener) => openFor(house, agent, beginning, listener) });
  } finally {
    await stage.provider.close();
  }
}

interface Talk {
  options: ChatOptions;
  stage: Stage;
  house: House;
  beginning: Beginning;
  open(listener: ThreadListener): Promise<Opened>;
}

async function talk(what: Talk): Promise<ExitCode> {
  const { options, stage, beginning: { threadId, recording } } = what;
  if (stage.isTerminal) return inTerminal(what);
  const { writer, person, stop } = pipesScene(options, { canWait: false, wayOn: () => piped.wayOn });
  const piped = new PipedThread({ writer, person, ...(recording && { wayOn: (id: string, again: boolean) => recording.command(id, again) }) });
  const letPrint = options.json ? undefined : holdPrinting();
  piped.take(await what.open(piped));
  if (!options.json) {
    process.stdout.write(`${greetingOf(what, piped.thread.look.agent).join('\n')}\n\n`);
    piped.recall();
  } else if (recording) process.stdout.write(jsonLine({ type: 'journal', where: recording.where, threadId }));
  letPrint?.();
  const code = await sayLines(piped, { stop });
  await piped.release();
  return code;
}

async function inTerminal(what: Talk): Promise<ExitCode> {
  const { options, house, beginning: { recording }, open } = what;
  const terminal = terminalScene(options);
  const chat = new Chat(terminal, { house, approve: options.approve, ...(recording && { wayOn: (id: string) => recording.command(id, false) }) });
  try {
    return await chat.converse(open, { greeting: (thread) => greetingOf(what, thread.look.agent), again: options.again === true });
  } catch (error) {
    terminal.leave(EXIT.failed);
    terminal.close();
    throw error;
  }
}

async function beginningOf(options: ChatOptions): Promise<Beginning> {
  const isWanted = options.journal !== undefined || process.env.LOOPCHART_JOURNAL?.trim();
  if (!isWanted && options.thread !== undefined) throw new UsageError('A thread is kept in a journal: name one with --journal WHERE, or set LOOPCHART_JOURNAL.', 'chat');
  const threadId = options.thread ?? newThreadId();
  if (threadId.includes('/')) throw new UsageError(`The id of a thread has no "/": "${threadId}".`, 'chat');
  if (!isWanted) return { threadId, isThere: false };
  const opened = await openJournal(options.journal, 'record');
  const recording = recordingIn(opened, threadId, options);
  await recording.thread!.runs();
  tellDamaged(opened); // one of them may be of this thread
  return { threadId, recording, isThere: isThread(await opened.journal.read(threadId)) };
}

/** A thread that is there is opened; of runs that were recorded under its id alone, it goes on with what they have said, and by whoever spoke last. */
async function openFor(house: House, agent: AnyAgent, { threadId, recording, isThere }: Beginning, listener: ThreadListener): Promise<Opened> {
  if (isThere) return house.open(threadId, listener);
  const earlier = recording?.thread;
  const history = (await earlier?.getItems()) ?? [];
  if (!earlier || history.length === 0) return house.create(threadId, listener);
  const name = await earlier.lastAgent();
  return house.create(threadId, listener, { history, speaker: agentsFrom(agent).find((one) => one.name === name) });
}

function greetingOf({ options: { agentFile }, stage, beginning }: Talk, agent: string): string[] {
  const { provider: { label, isEmbedded }, isTerminal } = stage;
  const head = [`loopchart ${versionOfPackage()}: ${agent}${agentFile === undefined ? ', a support desk' : ` from ${agentFile}`}`, `Provider: ${label}`];
  const recorded = recordingText(beginning);
  if (agentFile !== undefined) return [...head, ...recorded];
  const hints = isEmbedded ? 'This is the built-in demo: scripted answers; real loop, tools, HTTP and SSE. Try:' : 'Try:';
  return [...head, hints, ...DEMO_HINTS.map((hint) => `  ${hint}`), ...(isTerminal ? TERMINAL_HINTS : []), ...recorded];
}

function recordingText({ recording, threadId, isThere }: Beginning): string[] {
  if (!recording) return [];
  return [`Recorded in ${recording.where}, thread ${threadId}${isThere ? ', which goes on' : ''}. Should this be killed, go on with it:`, `  ${recording.chatting(threadId)}`];
}
