import { referenceLibrary } from '../reference-library.ts';
import { keepInFlight } from './in-flight.ts';
import type { Sender, SenderTarget } from './sender.ts';
import { WIRE_PAYLOAD, WIRE_TOPIC, wirePush } from './wire-push.ts';

export const NODE_APN = '@parse/node-apn';

/** What is used of the library. */
interface NodeApn {
  readonly Provider: new (options: {
    readonly token: { readonly key: string; readonly keyId: string; readonly teamId: string };
    readonly address: string;
    readonly port: number;
    readonly ca: readonly string[];
    readonly requestTimeout: number;
  }) => NodeApnProvider;
  readonly Notification: new (properties: {
    readonly rawPayload: unknown;
    readonly id: string;
    readonly collapseId: string;
    readonly topic: string;
    readonly pushType: string;
    readonly expiry: number;
  }) => object;
}

interface NodeApnProvider {
  send(notification: object, token: string): Promise<{ readonly failed: readonly unknown[] }>;
}

/** The library as its documentation shows it; it, too, has one connection. */
export async function openNodeApn(target: SenderTarget): Promise<Sender> {
  const library = referenceLibrary(NODE_APN) as NodeApn;
  const { host, port } = new URL(target.url);
  const provider = new library.Provider({
    token: { key: target.apnsKeyPem, keyId: 'ABCDE12345', teamId: 'ACMETEAM01' },
    // It asks for the address as an authority, and dials the port.
    address: host,
    port: Number(port),
    ca: [target.authorityPem],
    requestTimeout: 60_000,
  });
  let number = 0;
  const send = async (): Promise<void> => {
    number += 1;
    const { token, id, expiration } = wirePush(number);
    const notification = new library.Notification({
      rawPayload: WIRE_PAYLOAD,
      id,
      collapseId: id,
      topic: WIRE_TOPIC,
      pushType: 'alert',
      expiry: Number(expiration),
    });
    const { failed } = await provider.send(notification, token);
    if (failed.length > 0) throw new Error(`${NODE_APN}: ${JSON.stringify(failed)}`);
  };
  return { run: (count) => keepInFlight(count, target.streams, send) };
}
