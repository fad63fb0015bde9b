import assert from 'node:assert/strict';
import { once } from 'node:events';
import { WebSocketServer } from 'ws';
import type { WebPushSimulator } from '../simulator.ts';
import { Profiles } from './profile.ts';
import { Session } from './session.ts';
import type { Frame } from './session.ts';

export interface PushSocketOptions {
  /** Whose messages it passes on: of the personality `mozilla`, if a real browser is to come. */
  readonly simulator: WebPushSimulator;
  readonly host?: string;
  readonly port?: number;
  /** Called for every message in either direction, after the service has taken or made it. */
  readonly onFrame?: (frame: Frame) => void;
}

/** The side of a push service that browsers are connected to. */
export interface PushSocket extends AsyncDisposable {
  /** What Firefox takes as `dom.push.serverURL`. */
  readonly url: string;
  /** Connected browsers. */
  readonly connections: number;
  /** Cuts every connection; browsers come back by themselves and get what they missed. */
  disconnect(): void;
  /**
   * Keeps messages back until it is disposed, as slow networks do: the service takes them, and
   * browsers stay connected. What is not stored is lost meanwhile.
   */
  hold(): Disposable;
  /** Forgets every browser: their endpoints are gone, and at their next hello they learn it. */
  forget(): void;
}

const PROTOCOL = 'push-notification';
const MAX_FRAME_BYTES = 64 * 1024;

/**
 * Starts the WebSocket server that Firefox speaks to (the protocol of autopush's autoconnect), in
 * front of a simulator: browsers subscribe here, and messages pushed there reach them. It is plain
 * `ws:`, which Firefox takes when `dom.push.testing.allowInsecureServerURL` is set.
 */
export async function startPushSocket(options: PushSocketOptions): Promise<PushSocket> {
  const { simulator, host = '127.0.0.1', onFrame = () => undefined } = options;
  const profiles = new Profiles();
  const server = new WebSocketServer({
    host,
    port: options.port ?? 0,
    maxPayload: MAX_FRAME_BYTES,
    handleProtocols: (offered) => (offered.has(PROTOCOL) ? PROTOCOL : false),
  });
  const sessions = new Set<Session>();
  const holds = new Set<Disposable>();
  const isHeld = (): boolean => holds.size > 0;
  server.on('connection', (socket) => {
    const session = new Session({ socket, simulator, profiles, onFrame, isHeld });
    sessions.add(session);
    socket.once('close', () => sessions.delete(session));
  });
  await once(server, 'listening');
  const address = server.address();
  assert(address !== null && typeof address === 'object', 'A listening server has a port.');
  const disconnect = (): void => {
    for (const client of server.clients) client.terminate();
  };
  return {
    url: `ws://${host}:${address.port}/`,
    get connections() {
      return server.clients.size;
    },
    disconnect,
    hold: () => {
      const hold = {
        [Symbol.dispose]: () => {
          holds.delete(hold);
          for (const session of sessions) session.sendStored();
        },
      };
      holds.add(hold);
      return hold;
    },
    forget: () => {
      for (const { channels } of profiles.forget()) {
        for (const endpoint of channels.values()) simulator.unsubscribe(endpoint);
      }
      disconnect();
    },
    async [Symbol.asyncDispose]() {
      disconnect();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}
