import type { WebSocket } from 'ws';
import type { Wire } from './link.ts';
import { closeSocket, wireOf, type WebSockets } from './sockets.ts';

export interface ClientOptions {
  url: string;
  opened: (wire: Wire) => () => void;
  onProblem: (problem: string) => void;
}

/** Milliseconds between attempts: quickly at first, for a viewer that starts together with the program. */
const FIRST_DELAY = 100;
const LONGEST_DELAY = 5_000;

/** Connects to somebody else's relay, and again whenever the connection is lost, until it is closed. */
export function connectTo({ WebSocket }: WebSockets, { url, opened, onProblem }: ClientOptions): { close(): Promise<void> } {
  let delay = FIRST_DELAY;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let socket: WebSocket | undefined;
  let told = false;
  let isClosed = false;

  const connect = (): void => {
    const attempt = new WebSocket(url, { handshakeTimeout: LONGEST_DELAY });
    socket = attempt;
    let closed: (() => void) | undefined;
    let reason = 'the connection was closed';
    attempt.on('upgrade', (response) => response.socket.unref());
    attempt.on('open', () => {
      delay = FIRST_DELAY;
      told = false;
      closed = opened(wireOf(attempt));
    });
    attempt.on('error', (error) => (reason = reasonOf(error)));
    attempt.on('close', () => {
      closed?.();
      if (isClosed) return;
      if (!told) onProblem(`No inspector at ${withoutQuery(url)}: ${reason}. Trying again until it is there.`);
      told = true;
      timer = setTimeout(connect, delay);
      timer.unref();
      delay = Math.min(delay * 2, LONGEST_DELAY);
    });
  };

  connect();
  return {
    close: async () => {
      isClosed = true;
      clearTimeout(timer);
      if (socket) await closeSocket(socket);
    },
  };
}

/** An attempt at several addresses fails with several errors and says nothing itself. */
function reasonOf(error: Error): string {
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  return first instanceof Error ? first.message : error.message;
}

/** The query may hold a token. */
function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/, '');
}
