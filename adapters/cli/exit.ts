/** How the command ends, as a shell sees it. */
export const EXIT = {
  completed: 0,
  failed: 1,
  usage: 2,
  approvalMissing: 3,
  interrupted: 130,
  /** As if SIGPIPE had ended it. */
  brokenPipe: 141,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Trouble that a person can mend; the message names the cause and the fix. Shown without a stack. */
export class CliError extends Error {
  readonly exitCode: ExitCode;

  constructor(message: string, { exitCode = EXIT.failed, cause }: { exitCode?: ExitCode; cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.exitCode = exitCode;
  }
}

/** The command line itself is wrong. */
export class UsageError extends CliError {
  /** @param command whose own help says more. */
  constructor(message: string, command?: string) {
    super(`${message} See: loopchart ${command === undefined ? '' : `${command} `}--help`, { exitCode: EXIT.usage });
  }
}

/** A conversation is as good as its worst run: an interrupt says most, then a failure, then a person who was missing. */
export function worse(one: ExitCode, other: ExitCode): ExitCode {
  return SEVERITY.indexOf(one) >= SEVERITY.indexOf(other) ? one : other;
}

const SEVERITY: readonly ExitCode[] = [EXIT.completed, EXIT.approvalMissing, EXIT.failed, EXIT.usage, EXIT.interrupted, EXIT.brokenPipe];
