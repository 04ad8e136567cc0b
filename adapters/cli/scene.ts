/** Where a conversation is shown: in a terminal, or over pipes with nobody there. */
import { Console } from 'node:console';
import { Writable } from 'node:stream';
import type { Audience } from './conversation.ts';
import { CliError, EXIT, type ExitCode } from './exit.ts';
import { JsonOutput } from './jsonOutput.ts';
import type { PlayOptions } from './options.ts';
import { AbsentPerson, type Writer } from './piped.ts';
import { PlainOutput } from './plainOutput.ts';
import { Terminal } from './terminal/terminal.ts';

const SIGNALS = [['SIGTERM', 15], ['SIGHUP', 1]] as const;

export function terminalScene({ debug }: PlayOptions): Terminal {
  const terminal = new Terminal({ input: process.stdin, out: process.stdout, showStacks: debug });
  const printing = new Writable({
    write(chunk, _encoding, done) {
      terminal.print(String(chunk).replace(/\n$/, ''));
      done();
    },
  });
  globalThis.console = new Console({ stdout: printing, stderr: printing });
  onStrayErrors((error) => terminal.trouble(error));
  process.on('SIGINT', () => terminal.interrupt()); // sent by a program; Ctrl-C arrives as a key
  for (const [signal, number] of SIGNALS) process.once(signal, () => terminal.leave((128 + number) as ExitCode)); // what a shell makes of the signal
  return terminal;
}

export interface PipesScene {
  writer: Writer;
  audience: Audience;
  person: AbsentPerson;
  /** Fires at the first Ctrl-C. */
  stop: AbortSignal;
}

/**
 * @param options.canWait as of `AbsentPerson`.
 * @param options.wayOn the command that goes on with the run that is going, where it is recorded: told when this process has to end.
 */
export function pipesScene({ json, debug: showStacks, approve }: PlayOptions, { canWait, wayOn }: { canWait: boolean; wayOn(): string | undefined }): PipesScene {
  const { stdout: out, stderr: errors } = process;
  const stop = firstInterrupt();
  const writer: Writer = json ? new JsonOutput({ out, showStacks }) : new PlainOutput({ out, errors, showStacks });
  if (json) globalThis.console = new Console({ stdout: errors, stderr: errors }); // the standard output is for JSON lines alone
  const end = (code: ExitCode, error?: unknown) => {
    if (error !== undefined) writer.trouble(error);
    const command = wayOn();
    if (command !== undefined) errors.write(`loopchart: Go on with it: ${command}\n`);
    process.exit(code);
  };
  onStrayErrors((error) => end(EXIT.failed, error));
  process.once('beforeExit', () => end(EXIT.failed, new CliError('The run waits for something that cannot happen any more: a tool, a guardrail or a model returned a promise that nothing will settle.')));
  for (const [signal, number] of SIGNALS) process.once(signal, () => end((128 + number) as ExitCode)); // as above: nothing is interrupted, so that it can be gone on with
  const person = new AbsentPerson({ approve, canWait });
  const audience: Audience = {
    event: (event) => writer.event(event),
    recall: (event) => writer.recall(event),
    settled: (ending) => writer.settled(ending),
    decide: async (item) => {
      const { ruling, verdict } = person.rule(item);
      writer.ruled(item, ruling);
      return verdict;
    },
  };
  return { writer, audience, person, stop };
}

/** What the user's own code prints waits for the first lines of the command. @returns lets it out. */
export function holdPrinting(): () => void {
  const own = globalThis.console;
  const held: string[] = [];
  const holding = new Writable({
    write(chunk, _encoding, done) {
      held.push(String(chunk));
      done();
    },
  });
  globalThis.console = new Console({ stdout: holding, stderr: process.stderr });
  return () => {
    globalThis.console = own;
    for (const text of held) process.stdout.write(text);
  };
}

/** The first Ctrl-C interrupts the run and ends the conversation, the second leaves whatever is still going. */
function firstInterrupt(): AbortSignal {
  const controller = new AbortController();
  process.on('SIGINT', () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort();
  });
  return controller.signal;
}

/** What timers and promises that nobody awaits throw. A person is told and decides; without one the command ends, as Node does. */
function onStrayErrors(tell: (error: unknown) => void): void {
  process.on('uncaughtException', tell);
  process.on('unhandledRejection', tell);
}
