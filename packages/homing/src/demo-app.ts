import { isKeyKnown, provisionApp, type App, type ProvisionedApp } from '@homing/server';
import { readKept, writeKept } from './kept-file.ts';
import {
  DEMO_CONTACT,
  DEMO_EXPO_PROJECT,
  DEMO_TOPIC,
  type SimulatorIdentity,
} from './simulator-identity.ts';

/**
 * The app that a newcomer plays with: identity checks off, credentials for the simulators. Its keys
 * are shown once by the server, so they are kept beside the data; a database that does not know
 * them gets a new app.
 */
export async function ensureDemoApp(
  path: string,
  app: App,
  identity: SimulatorIdentity,
): Promise<ProvisionedApp> {
  const text = await readKept(path);
  if (text !== null) {
    const kept = JSON.parse(text) as ProvisionedApp;
    if (await isKeyKnown(app.db, kept.secretKey)) return kept;
  }
  const provisioned = await provisionApp(app, {
    name: 'Demo Shop',
    environment: 'test',
    identity: 'off',
    credentials: demoCredentials(identity),
    identityKeys: [],
    allowedOrigins: ['*'],
  });
  await writeKept(path, JSON.stringify(provisioned, null, 2));
  return provisioned;
}

/** What the simulators of this identity take, by provider. */
export function demoCredentials({ apnsKey, serviceAccount, hmsApp, vapidKeys }: SimulatorIdentity) {
  const { keyId, teamId, privateKeyPem } = apnsKey;
  return {
    apns: { keyId, teamId, privateKeyPem, topics: [DEMO_TOPIC], environment: 'both' },
    fcm: { serviceAccount },
    hms: { appId: hmsApp.appId, clientSecret: hmsApp.clientSecret },
    webpush: { subject: DEMO_CONTACT, ...vapidKeys },
    expo: { project: DEMO_EXPO_PROJECT },
  };
}
