import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Wire } from './link.ts';
import { inspectorPage } from './page.ts';
import { closeSocket, wireOf, type WebSockets } from './sockets.ts';

export interface RelayOptions {
  port: number;
  /** `undefined` lets in everybody on this machine. */
  token: string | undefined;
  /** Address of the viewer that the page embeds. */
  viewer: string;
  opened: (wire: Wire) => () => void;
  onProblem: (problem: string) => void;
}

export interface Relay {
  /** `ws://…`, for receivers. */
  url: string;
  /** `http://…`, for a browser. */
  page: string;
  close(): Promise<void>;
}

/** 128 random bits in an address that stays on this machine. */
export function randomToken(): string {
  return randomBytes(16).toString('base64url');
}

/**
 * Serves watchers on the loopback interface. The token is asked for because every web page that is open on this machine can
 * connect to a local port.
 *
 * @throws Error when the port cannot be had.
 */
export async function openRelay({ WebSocketServer }: WebSockets, options: RelayOptions): Promise<Relay> {
  const sockets = new Set<WebSocket>();
  const watchers = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024 });
  const server = createServer((request, response) => answer(request, response, options));
  server.on('upgrade', (request: IncomingMessage, connection: Duplex, head: Buffer) => {
    // A watcher that goes away in the middle of this is nobody's error.
    connection.on('error', () => connection.destroy());
    if (!isAllowed(request, options.token)) {
      connection.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
      return;
    }
    watchers.handleUpgrade(request, connection, head, (socket) => {
      (connection as Socket).unref();
      sockets.add(socket);
      const closed = options.opened(wireOf(socket));
      socket.on('error', () => socket.terminate());
      socket.on('close', () => {
        sockets.delete(socket);
        closed();
      });
    });
  });
  await listen(server, options.port);
  server.on('error', (error) => options.onProblem(`The inspector's server failed: ${error.message}`));
  const { port } = server.address() as AddressInfo;
  const query = options.token === undefined ? '' : `?token=${encodeURIComponent(options.token)}`;
  return {
    url: `ws://127.0.0.1:${port}/${query}`,
    page: `http://127.0.0.1:${port}/${query}`,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.all([...sockets].map(closeSocket));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** An inspector is no reason for a program to go on running, so nothing here holds the process. */
async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const reason = cause.code === 'EADDRINUSE' ? 'it is in use. Choose another `port`, or 0 for a free one.' : `${cause.message}.`;
      reject(new Error(`The inspector cannot listen on port ${port} of 127.0.0.1: ${reason}`, { cause }));
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  server.removeAllListeners('error');
  server.unref();
}

function answer(request: IncomingMessage, response: ServerResponse, { token, viewer }: RelayOptions): void {
  if (!isAllowed(request, token)) {
    response.writeHead(401, { 'content-type': 'text/plain; charset=utf-8' }).end('Open the address that the inspector printed, with its token.\n');
    return;
  }
  const nonce = randomToken();
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'content-security-policy': [
      "default-src 'none'",
      `script-src 'nonce-${nonce}'`,
      `style-src 'nonce-${nonce}'`,
      'connect-src ws://127.0.0.1:*',
      `frame-src ${new URL(viewer).origin}`,
    ].join('; '),
  });
  response.end(inspectorPage(viewer, nonce));
}

function isAllowed({ url = '/' }: IncomingMessage, token: string | undefined): boolean {
  if (token === undefined) return true;
  const given = Buffer.from(new URL(url, 'http://127.0.0.1').searchParams.get('token') ?? '');
  const expected = Buffer.from(token);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
