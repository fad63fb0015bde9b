import { Agent, type RequestOptions } from 'node:https';
import { connect } from 'node:tls';
import { referenceLibrary } from '../reference-library.ts';
import { FCM_PROJECT, FCM_TEXT, fcmRegistration } from './fcm-push.ts';
import { keepInFlight } from './in-flight.ts';
import type { Sender, SenderTarget } from './sender.ts';
import { wirePush } from './wire-push.ts';

export const FIREBASE_ADMIN = 'firebase-admin';

/** What is used of the library. */
interface FirebaseApp {
  readonly initializeApp: (options: {
    readonly credential: {
      getAccessToken(): Promise<{ readonly access_token: string; readonly expires_in: number }>;
    };
    readonly projectId: string;
    readonly httpAgent: Agent;
  }) => object;
}

interface FirebaseMessaging {
  readonly getMessaging: (app: object) => {
    enableLegacyHttpTransport(): void;
    sendEach(messages: readonly object[]): Promise<{ readonly successCount: number }>;
  };
}

/** The most that `sendEach` takes. */
const BATCH = 500;
/** HTTP/1.1 has one request under way on each. */
const CONNECTIONS = 64;

/**
 * Google's library as its documentation shows it, with the transport over HTTP/1.1: the other one
 * opens a connection for each `sendEach`, and to Google alone.
 */
export async function openFirebaseAdmin(target: SenderTarget): Promise<Sender> {
  const { initializeApp } = referenceLibrary(`${FIREBASE_ADMIN}/app`) as FirebaseApp;
  const { getMessaging } = referenceLibrary(`${FIREBASE_ADMIN}/messaging`) as FirebaseMessaging;
  const credential = {
    getAccessToken: async () => ({ access_token: 'neutral', expires_in: 3600 }),
  };
  const app = initializeApp({ credential, projectId: FCM_PROJECT, httpAgent: agentTo(target) });
  const messaging = getMessaging(app);
  messaging.enableLegacyHttpTransport();
  let number = 0;
  const sendBatch = async (size: number): Promise<void> => {
    const messages = Array.from({ length: size }, () => messageOf((number += 1)));
    const { successCount } = await messaging.sendEach(messages);
    if (successCount !== size) throw new Error(`FCM took ${successCount} of ${size}`);
  };
  return {
    async run(count) {
      const batches = Math.ceil(count / BATCH);
      const last = count - (batches - 1) * BATCH;
      const atOnce = Math.max(1, Math.floor(target.streams / BATCH));
      await keepInFlight(batches, atOnce, (index) =>
        sendBatch(index === batches - 1 ? last : BATCH),
      );
    },
  };
}

/** The fields that ours sends as well, as far as the library's own types have them. */
function messageOf(number: number): object {
  const { id } = wirePush(number);
  return {
    token: fcmRegistration(number),
    notification: FCM_TEXT,
    data: { homing_id: id },
    android: { priority: 'high', ttl: 86_400_000, notification: { tag: id } },
    apns: {
      headers: { 'apns-push-type': 'alert', 'apns-priority': '10', 'apns-collapse-id': id },
      payload: { aps: { mutableContent: true } },
    },
  };
}

/** The library's host cannot be chosen, so whoever dials it goes elsewhere. */
function agentTo({ url, authorityPem }: SenderTarget): Agent {
  const port = Number(new URL(url).port);
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  return Object.assign(agent, {
    createConnection: ({ servername }: RequestOptions) =>
      connect({
        host: '127.0.0.1',
        port,
        ca: authorityPem,
        ...(servername === undefined ? {} : { servername }),
      }),
  });
}
