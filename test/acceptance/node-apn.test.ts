import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import {
  INSTALL_REFERENCES,
  missingLibraries,
  referenceLibrary,
} from '../../bench/reference-library.ts';
import { createApnsKey, createCertificateAuthority, startApnsSimulator } from '@homing/simulators';

const NODE_APN = '@parse/node-apn';
const TOPIC = 'com.acme.shop';

/** What is used of the library. */
interface NodeApn {
  readonly Provider: new (options: {
    readonly token: { readonly key: string; readonly keyId: string; readonly teamId: string };
    readonly address: string;
    readonly port: number;
    readonly ca: readonly string[];
  }) => {
    send(notification: object, tokens: readonly string[]): Promise<NodeApnResult>;
    shutdown(): Promise<void>;
  };
  readonly Notification: new (properties: Readonly<Record<string, unknown>>) => object;
}

interface NodeApnResult {
  readonly sent: readonly { readonly device: string }[];
  readonly failed: readonly {
    readonly device: string;
    readonly status?: number;
    readonly response?: { readonly reason: string; readonly timestamp?: number };
  }[];
}

const skip =
  missingLibraries([NODE_APN]).length > 0 && `needs ${NODE_APN}: run ${INSTALL_REFERENCES}`;

const authority = await createCertificateAuthority();
const key = createApnsKey();
const simulator = await startApnsSimulator({
  environment: 'production',
  tls: await authority.issue(['127.0.0.1']),
  keys: [key],
  topics: [TOPIC],
});
after(() => simulator[Symbol.asyncDispose]());

function openProvider({ keyId, teamId, privateKeyPem } = key) {
  const { Provider } = referenceLibrary(NODE_APN) as NodeApn;
  const { host, port } = new URL(simulator.url);
  return new Provider({
    token: { key: privateKeyPem, keyId, teamId },
    // It asks for the address as an authority, and dials the port.
    address: host,
    port: Number(port),
    ca: [authority.certificatePem],
  });
}

function notification(properties: Readonly<Record<string, unknown>> = {}): object {
  const { Notification } = referenceLibrary(NODE_APN) as NodeApn;
  const alert = { title: 'Your order has shipped', body: 'Parcel 12345 is on its way' };
  return new Notification({ alert, topic: TOPIC, pushType: 'alert', ...properties });
}

function newToken(): string {
  return randomBytes(32).toString('hex');
}

test('node-apn pushes to the APNs simulator and understands its refusals', { skip }, async () => {
  const provider = openProvider();
  try {
    const [live, gone, misplaced] = [newToken(), newToken(), newToken()];
    const atMs = Date.now() - 60_000;
    simulator.devices.set(gone, { kind: 'unregistered', atMs });
    simulator.devices.set(misplaced, { kind: 'other_environment' });
    const push = notification({ collapseId: 'order-12345', expiry: 4_102_444_800, priority: 10 });

    // APNs takes one request at a time until it has seen a good token, and the library does not
    // wait for that: what it sends beside the first request is refused.
    const first = await provider.send(push, [live]);
    assert.deepEqual(first.failed, []);
    assert.deepEqual(
      first.sent.map(({ device }) => device),
      [live],
    );
    const { sent, failed } = await provider.send(push, [gone, misplaced]);

    assert.deepEqual(sent, []);
    const refusals = failed.map(({ device, status, response }) => ({ device, status, response }));
    const byDevice = new Map(refusals.map((refusal) => [refusal.device, refusal]));
    const unregistered = { reason: 'Unregistered', timestamp: atMs };
    assert.deepEqual(byDevice.get(gone), { device: gone, status: 410, response: unregistered });
    assert.deepEqual(byDevice.get(misplaced), {
      device: misplaced,
      status: 400,
      response: { reason: 'BadDeviceToken' },
    });
    const [entry] = simulator.journal.entries({ token: live });
    assert.equal(entry?.headers['apns-collapse-id'], 'order-12345');
    assert.equal(entry?.headers['apns-push-type'], 'alert');
    assert.equal(simulator.devices.view(live).shown.length, 1);
  } finally {
    await provider.shutdown();
  }
});

test('node-apn with a key that Apple does not know is refused', { skip }, async () => {
  const stranger = createApnsKey(key.teamId);
  const provider = openProvider({ ...stranger, keyId: 'STRANGER01' });
  try {
    const { failed } = await provider.send(notification(), [newToken()]);
    assert.equal(failed[0]?.status, 403);
    assert.equal(failed[0]?.response?.reason, 'InvalidProviderToken');
  } finally {
    await provider.shutdown();
  }
});
