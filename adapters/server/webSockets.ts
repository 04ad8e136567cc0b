/** One message a frame, over WebSockets, for programs of this machine that know the token. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { type IncomingMessage, type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { RawData, WebSocket, WebSocketServer } from 'ws';
import { CODE } from './fault.ts';
import type { ThreadServer } from './server.ts';

export interface WebSocketOptions {
  /** An address of the loopback interface: other machines are never let in. Default `127.0.0.1`. */
  host?: string;
  /** 0 for a free one. */
  port: number;
  /** What a client has to show: `Authorization: Bearer TOKEN`, or `?token=TOKEN` where it cannot set headers. */
  token: string;
  /** Pages that may connect, as the `Origin` that browsers send; none by default. */
  origins?: readonly string[];
}

export interface WebSocketListener {
  /** Without the token. */
  url: string;
  close(): Promise<void>;
}

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);
/** Frames beyond end their connection; shorter ones that are still too long are answered. */
const MOST_BYTES = 128 * 2 ** 20;

/** 192 random bits. */
export const makeToken = (): string => randomBytes(24).toString('base64url');

/** @throws Error when the address is no loopback address, the port is taken, or the package `ws` is missing. */
export async function listenForWebSockets(server: ThreadServer, options: WebSocketOptions): Promise<WebSocketListener> {
  const { host = '127.0.0.1', port, token } = options;
  if (!LOOPBACK.has(host)) throw new Error(`${host} is no address of this machine alone. Listen on 127.0.0.1, ::1 or localhost.`);
  if (token.length < 16) throw new Error('The token is too short: 16 characters at least.');
  const { WebSocketServer: Sockets } = await loadPackage();
  const sockets: WebSocketServer = new Sockets({ noServer: true, maxPayload: MOST_BYTES });
  const web = createServer((_, response) => response.writeHead(426, { 'content-type': 'text/plain; charset=utf-8', upgrade: 'websocket' }).end('This is a WebSocket.\n'));
  web.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on('error', () => stream.destroy()); // a client that goes away in the middle is nobody's error
    const refusal = refusalOf(request, options);
    if (refusal !== undefined) return void stream.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    sockets.handleUpgrade(request, stream, head, (socket) => converse(server, socket));
  });
  await listening(web, host, port);
  const { port: chosen } = web.address() as AddressInfo; // it listens on a port
  return {
    url: `ws://${host === '::1' ? '[::1]' : host}:${chosen}/`,
    close: async () => {
      const closed = new Promise<void>((resolve) => web.close(() => resolve()));
      for (const socket of sockets.clients) socket.terminate();
      web.closeAllConnections();
      await closed;
    },
  };
}

function converse(server: ThreadServer, socket: WebSocket): void {
  const connection = server.connect({
    send: (text, written) => socket.send(text, () => written()),
    close: (reason) => {
      if (socket.readyState === socket.OPEN) socket.close(1008, reason.slice(0, 120));
    },
  });
  socket.on('message', (message: RawData, isBinary: boolean) => {
    if (isBinary) connection.refuse(CODE.parse, 'Parse error: messages are text, one a frame');
    else connection.receive(textOf(message));
  });
  socket.on('error', () => socket.terminate());
  socket.on('close', () => connection.close('The client has gone.'));
}

const textOf = (message: RawData): string => (Array.isArray(message) ? Buffer.concat(message) : Buffer.from(message as Buffer)).toString('utf8'); // text frames come as buffers

/** A page of a browser could name any host that leads here, and be of anybody: the first is told by `Host`, the second by `Origin`. */
function refusalOf({ url = '/', headers }: IncomingMessage, { token, origins = [] }: WebSocketOptions): string | undefined {
  const host = URL.canParse(`http://${headers.host}`) ? new URL(`http://${headers.host}`).hostname.replace(/^\[(.*)\]$/, '$1') : '';
  if (!LOOPBACK.has(host)) return '403 Forbidden';
  if (headers.origin !== undefined && !origins.includes(headers.origin)) return '403 Forbidden';
  const given = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1] ?? tokenIn(url);
  return isSame(given, token) ? undefined : '401 Unauthorized';
}

const tokenIn = (url: string): string => (URL.canParse(url, 'http://127.0.0.1') ? (new URL(url, 'http://127.0.0.1').searchParams.get('token') ?? '') : '');

function isSame(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}

async function listening(web: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    web.once('error', (cause: NodeJS.ErrnoException) => reject(new Error(cause.code === 'EADDRINUSE' ? `Port ${port} is in use. Choose another, or 0 for a free one.` : `Port ${port} cannot be listened on: ${cause.message}`, { cause })));
    web.listen(port, host, resolve);
  });
  web.removeAllListeners('error');
}

async function loadPackage(): Promise<typeof import('ws')> {
  try {
    return await import('ws');
  } catch (cause) {
    throw new Error('WebSockets need the package ws. Install it with: npm install ws', { cause });
  }
}
