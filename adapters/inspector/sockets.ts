import { createRequire } from 'node:module';
import type { WebSocket, WebSocketServer } from 'ws';
import type { Wire } from './link.ts';

/** The part of `ws` that is used here. */
export interface WebSockets {
  WebSocket: typeof WebSocket;
  WebSocketServer: typeof WebSocketServer;
}

/**
 * Loads the WebSockets that `@statelyai/inspect` brings: asked for from its place, so that they are found however packages are
 * laid out on disk.
 *
 * @throws Error when the package is not installed.
 */
export function loadWebSockets(): WebSockets {
  try {
    const inspector = createRequire(import.meta.url).resolve('@statelyai/inspect');
    return createRequire(inspector)('ws') as WebSockets;
  } catch (cause) {
    throw new Error('The Stately inspector needs the package @statelyai/inspect. Install it with: npm install --save-dev @statelyai/inspect', { cause });
  }
}

/** A socket that is open. Sending to one that is closing is not an error: its watcher has gone. */
export function wireOf(socket: WebSocket): Wire {
  return {
    send: (text, sent) => socket.send(text, () => sent()),
    waiting: () => socket.bufferedAmount,
  };
}

/** Says goodbye, and leaves without an answer after half a second. Resolves when the socket is closed. */
export async function closeSocket(socket: WebSocket): Promise<void> {
  if (socket.readyState === socket.CLOSED) return;
  await new Promise<void>((resolve) => {
    const impatience = setTimeout(() => socket.terminate(), 500);
    socket.once('close', () => {
      clearTimeout(impatience);
      resolve();
    });
    socket.close(1001);
  });
}
