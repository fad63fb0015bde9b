import assert from 'node:assert/strict';
import { Agent } from 'node:https';
import { after, test } from 'node:test';
import { connect } from 'node:tls';
import {
  INSTALL_REFERENCES,
  missingLibraries,
  referenceLibrary,
} from '../../bench/reference-library.ts';
import {
  accessToken,
  authority,
  connectTo,
  PROJECT,
  startFcm,
} from '../../packages/simulators/test/fcm-client.ts';
import { fcmToken } from '../device.ts';

const FIREBASE_ADMIN = 'firebase-admin';

/** What is used of the library. */
interface FirebaseApp {
  readonly initializeApp: (options: {
    readonly credential: {
      getAccessToken(): Promise<{ readonly access_token: string; readonly expires_in: number }>;
    };
    readonly projectId: string;
    readonly httpAgent: Agent;
  }) => object;
  readonly deleteApp: (app: object) => Promise<void>;
}

interface FirebaseMessaging {
  readonly getMessaging: (app: object) => {
    enableLegacyHttpTransport(): void;
    sendEach(messages: readonly object[]): Promise<{
      readonly successCount: number;
      readonly responses: readonly {
        readonly success: boolean;
        readonly messageId?: string;
        readonly error?: { readonly code: string };
      }[];
    }>;
  };
}

const skip =
  missingLibraries([`${FIREBASE_ADMIN}/app`]).length > 0 &&
  `needs ${FIREBASE_ADMIN}: run ${INSTALL_REFERENCES}`;

const simulator = await startFcm();
after(() => simulator[Symbol.asyncDispose]());

/** The library's host cannot be chosen, so whoever dials it goes elsewhere. */
function agentToSimulator(): Agent {
  const port = Number(new URL(simulator.url).port);
  const ca = authority.certificatePem;
  return Object.assign(new Agent({ keepAlive: false }), {
    createConnection: () => connect({ host: '127.0.0.1', port, ca }),
  });
}

/** The library asks Google for a token past the agent, so it gets one of the simulator's. */
async function tokenOfSimulator(): Promise<string> {
  await using client = await connectTo(simulator);
  return await accessToken(simulator, client);
}

test(
  'firebase-admin sends to the FCM simulator and understands its refusals',
  { skip },
  async () => {
    const { initializeApp, deleteApp } = referenceLibrary(`${FIREBASE_ADMIN}/app`) as FirebaseApp;
    const { getMessaging } = referenceLibrary(`${FIREBASE_ADMIN}/messaging`) as FirebaseMessaging;
    const httpAgent = agentToSimulator();
    const token = await tokenOfSimulator();
    const credential = {
      getAccessToken: async () => ({ access_token: token, expires_in: 3600 }),
    };
    const app = initializeApp({ credential, projectId: PROJECT, httpAgent });
    try {
      const messaging = getMessaging(app);
      messaging.enableLegacyHttpTransport();
      const [live, gone, foreign, none] = [fcmToken(), fcmToken(), fcmToken(), fcmToken()];
      simulator.devices.set(gone.value, { kind: 'unregistered' });
      simulator.devices.set(foreign.value, { kind: 'sender_mismatch' });
      simulator.devices.set(none.value, { kind: 'bad_token', body: 'message' });

      const { successCount, responses } = await messaging.sendEach(
        [live, gone, foreign, none].map(({ value }) => ({
          token: value,
          notification: { title: 'Your order has shipped', body: 'Parcel 12345 is on its way' },
          data: { order: '12345' },
          android: { priority: 'high', ttl: 60_000, collapseKey: 'order-12345' },
        })),
      );

      assert.equal(successCount, 1, JSON.stringify(responses));
      assert.ok(responses[0]?.messageId?.startsWith(`projects/${PROJECT}/messages/`));
      assert.deepEqual(
        responses.slice(1).map(({ error }) => error?.code),
        [
          'messaging/registration-token-not-registered',
          'messaging/mismatched-credential',
          // The library takes this one for a mistake of the message.
          'messaging/invalid-argument',
        ],
      );
      const [entry] = simulator.journal.entries({ token: live.value });
      assert.equal(entry?.accepted, true);
      assert.equal(simulator.devices.view(live.value).shown.length, 1);
    } finally {
      await deleteApp(app);
      httpAgent.destroy();
    }
  },
);
