/** `loopchart chat`: messages, and what an agent makes of them. */
import { randomUUID } from 'node:crypto';
import type { Agent } from '../../../actors/agent.ts';
import type { RunSummary } from '../../../actors/journal.ts';
import { agentsFrom } from '../agentGraph.ts';
import { type Audience, Conversation } from '../conversation.ts';
import { DEMO_HINTS } from '../demo/supportDesk.ts';
import { EXIT, type ExitCode, UsageError, worse } from '../exit.ts';
import { jsonLine } from '../jsonOutput.ts';
import { openJournal, quoted, tellDamaged } from '../journal/place.ts';
import { stateText } from '../journal/runTable.ts';
import type { ChatOptions } from '../options.ts';
import { sayLines } from '../piped.ts';
import { type Recording, recordingIn } from '../recording.ts';
import { pipesScene, terminalScene } from '../scene.ts';
import { type Stage, agentOf, openStage } from '../stage.ts';
import { versionOfPackage } from '../version.ts';

type AnyAgent = Agent<any, any>; // `any`: a user's agent may have any context and output
/** A recording, and the runs of its conversation that are there already. */
interface Recorded { recording: Recording; earlier: readonly RunSummary[]; listing: string }

export async function chat(options: ChatOptions): Promise<ExitCode> {
  const agent = await agentOf(options);
  const recorded = await recordedIn(options);
  try {
    const speaker = await lastSpeaker(agent, recorded);
    const stage = await openStage(options, speaker);
    const greeting = [...greetingOf(options, stage), ...(recorded ? recordingText(recorded) : [])];
    try {
      return stage.isTerminal ? await inTerminal(options, stage, recorded, greeting) : await overPipes(options, stage, recorded, greeting);
    } finally {
      await stage.provider.close();
    }
  } finally {
    await recorded?.recording.journal.close();
  }
}

function inTerminal(options: ChatOptions, stage: Stage, recorded: Recorded | undefined, greeting: readonly string[]): Promise<ExitCode> {
  const terminal = terminalScene(options, { isRecorded: recorded !== undefined });
  return terminal.converse(conversationOn(stage, options, recorded, terminal), greeting);
}

async function overPipes(options: ChatOptions, stage: Stage, recorded: Recorded | undefined, greeting: readonly string[]): Promise<ExitCode> {
  const { writer, audience, person, stop } = pipesScene(options, { canWait: false, wayOn: () => conversation.wayOn });
  const conversation = conversationOn(stage, options, recorded, audience);
  if (!options.json) process.stdout.write(`${greeting.join('\n')}\n\n`);
  else if (recorded) process.stdout.write(jsonLine({ type: 'journal', where: recorded.recording.where, threadId: recorded.recording.thread!.id }));
  const code = await sayLines(conversation, writer, { stop });
  return worse(code, person.wasMissed ? EXIT.approvalMissing : EXIT.completed);
}

function conversationOn({ agent, runner }: Stage, { model }: ChatOptions, recorded: Recorded | undefined, audience: Audience): Conversation {
  return new Conversation({ agent, runner, model, audience, recording: recorded?.recording });
}

async function recordedIn(options: ChatOptions): Promise<Recorded | undefined> {
  const isWanted = options.journal !== undefined || process.env.LOOPCHART_JOURNAL?.trim();
  if (!isWanted && options.thread !== undefined) throw new UsageError('A thread is kept in a journal: name one with --journal WHERE, or set LOOPCHART_JOURNAL.', 'chat');
  if (!isWanted) return undefined;
  const opened = await openJournal(options.journal, 'record');
  const threadId = options.thread ?? `chat_${randomUUID().slice(0, 13)}`;
  const recording = recordingIn(opened, threadId, options);
  const earlier = await recording.thread!.runs();
  tellDamaged(opened); // one of them may be of this thread
  return { recording, earlier, listing: `loopchart runs --thread ${quoted(threadId)}${opened.option}` };
}

/** Whoever spoke last in the conversation goes on with it. */
async function lastSpeaker(agent: AnyAgent, recorded: Recorded | undefined): Promise<AnyAgent> {
  const name = recorded && recorded.earlier.length > 0 ? await recorded.recording.thread!.lastAgent() : undefined;
  return agentsFrom(agent).find((one) => one.name === name) ?? agent;
}

function greetingOf({ agentFile }: ChatOptions, { agent, provider: { label, isEmbedded } }: Stage): string[] {
  const head = [`loopchart ${versionOfPackage()}: ${agent.name}${agentFile === undefined ? ', a support desk' : ` from ${agentFile}`}`, `Provider: ${label}`];
  if (agentFile !== undefined) return head;
  const hints = isEmbedded ? 'This is the built-in demo: scripted answers; real loop, tools, HTTP and SSE. Try:' : 'Try:';
  return [...head, hints, ...DEMO_HINTS.map((hint) => `  ${hint}`)];
}

function recordingText({ recording, earlier, listing }: Recorded): string[] {
  const { where, thread, command } = recording;
  const goesOn = earlier.length > 0 ? `, which goes on after ${earlier.length} ${earlier.length === 1 ? 'run' : 'runs'}` : '';
  const open = earlier.filter(({ state }) => state === 'running' || state === 'awaitingApproval');
  return [
    `Recorded in ${where}, thread ${thread!.id}${goesOn}. Should this be killed, find the run and go on with it:`,
    `  ${listing}`,
    `  ${command('RUN', false)}`,
    ...open.map((run) => `A run of this thread has not ended (${stateText(run)}): ${command(run.runId, false)}`),
  ];
}
