#!/usr/bin/env node
/** The command `loopchart`: does what the command line says, and says by its exit code how it went. */
import { CliError, EXIT, type ExitCode } from './exit.ts';
import { HELP, HELP_OF } from './help.ts';
import { type Command, parseCommand } from './options.ts';
import { versionOfPackage } from './version.ts';
import { explained } from './wording.ts';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.brokenPipe); // whoever read us has heard enough
  process.stderr.write(`loopchart: The output cannot be written: ${error.message}\n`);
  process.exit(EXIT.failed);
});
const code = await main(process.argv.slice(2));
for (const stream of [process.stdout, process.stderr]) await new Promise((resolve) => stream.write('', resolve)); // what is written may still be on its way
process.exit(code);

async function main(args: readonly string[]): Promise<ExitCode> {
  try {
    return await done(parseCommand(args));
  } catch (error) {
    return refuse(error, args.includes('--debug'));
  }
}

/** Each command is loaded when it is asked for. */
async function done(command: Command): Promise<ExitCode> {
  switch (command.name) {
    case 'help':
      process.stdout.write(command.about ? HELP_OF[command.about] : HELP);
      return EXIT.completed;
    case 'version':
      process.stdout.write(`${versionOfPackage()}\n`);
      return EXIT.completed;
    case 'chat':
      return (await import('./commands/chat.ts')).chat(command);
    case 'serve':
      return (await import('./commands/serve.ts')).serve(command);
    case 'resume':
      return (await import('./commands/resume.ts')).resumeRun(command);
    case 'runs':
      return (await import('./commands/runs.ts')).runs(command);
    case 'migrate':
      return (await import('./commands/migrate.ts')).migrate(command);
    case 'prune':
      return (await import('./commands/prune.ts')).prune(command);
  }
}

function refuse(error: unknown, showStack: boolean): ExitCode {
  process.stderr.write(`loopchart: ${explained(error)}\n`);
  if (showStack && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  if (showStack && error instanceof Error && error.cause instanceof Error) process.stderr.write(`Caused by: ${error.cause.stack}\n`);
  return error instanceof CliError ? error.exitCode : EXIT.failed;
}
