import assert from 'node:assert/strict';
import { assertAnswered } from '../../../../test/answered.ts';
import { BackEnd } from '../../../../test/back-end.ts';
import { Device } from '../../../../test/device.ts';
import type { Network } from '../../../../test/network.ts';

/** An app of a test's own on a shared network, with its phones. */
export class Crew {
  readonly network: Network;
  readonly app: Network['app'];
  readonly backEnd: BackEnd;
  readonly #devices: Device[] = [];

  private constructor(network: Network, app: Network['app']) {
    this.network = network;
    this.app = app;
    this.backEnd = new BackEnd(network.url, app.secretKey);
  }

  /** A new app with a phone for each token; null is a phone without one. */
  static async gather(network: Network, phoneTokens: readonly unknown[]): Promise<Crew> {
    const crew = new Crew(network, await network.provision());
    for (const token of phoneTokens) await crew.enrol(token);
    return crew;
  }

  async enrol(token: unknown, userId?: string): Promise<Device> {
    const device = new Device(this.network.url, this.app, this.network.issuer);
    assertAnswered(await device.register(token, userId), 201);
    this.#devices.push(device);
    return device;
  }

  /** By the order in which they were enrolled. */
  device(index: number): Device {
    return this.#devices[index] ?? assert.fail(`there is no device ${index}`);
  }

  /** As a review that was applied leaves a device that was silent for long. */
  async makeDormant(device: Device): Promise<void> {
    await this.network.homing.db`
      update installation set dormant_since = now() where id = ${device.id}`;
  }
}
