import assert from 'node:assert/strict';
import type { Entry } from '@homing/simulators';
import { apnsToken } from '../device.ts';
import type { Scene } from '../scenarios/scene.ts';
import { ClientPhone, envelopeOf, type PhoneParts } from './client-phone.ts';
import { PhoneSystem } from './phone-system.ts';

type ApnsToken = ReturnType<typeof apnsToken>;

/** A phone whose app is open and registered, and the token that it registered. */
export interface OpenPhone {
  readonly phone: ClientPhone;
  readonly token: ApnsToken;
}

/** Phones with the client core in a scenario's app, and what arrives on them. */
export class ClientScene implements AsyncDisposable {
  readonly scene: Scene;
  readonly #phones: ClientPhone[] = [];

  constructor(scene: Scene) {
    this.scene = scene;
  }

  phone(parts: PhoneParts = {}): ClientPhone {
    const { network, app } = this.scene;
    const route = (): string => this.scene.nextServer();
    const phone = new ClientPhone({ route, app, issuer: network.issuer }, parts);
    this.#phones.push(phone);
    return phone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#phones.map((phone) => phone.kill()));
  }

  /** INIT-0. */
  async opened(parts: Omit<PhoneParts, 'system'> = {}): Promise<OpenPhone> {
    const token = apnsToken();
    const phone = this.phone({ ...parts, system: new PhoneSystem(token) });
    await phone.open();
    return { phone, token };
  }

  /** INIT-A. */
  async signedIn(userId: string, parts: Omit<PhoneParts, 'system'> = {}): Promise<OpenPhone> {
    const opened = await this.opened(parts);
    await opened.phone.login(userId);
    assert.equal((await opened.phone.client.status()).registered, true);
    return opened;
  }

  /** What a message to a user came to: the pushes that providers took. */
  send(userId: string): Promise<readonly Entry[]> {
    return this.scene.pushesBy(() => this.scene.backEnd.sendToUsers([userId]));
  }

  /** Pushes reach a phone: whatever its app shows of them is on its screen then. */
  async arrive(phone: ClientPhone, pushes: readonly Entry[]): Promise<void> {
    for (const { body } of pushes) {
      const envelope = envelopeOf(body);
      assert.ok(envelope !== null);
      await phone.receive(envelope);
    }
  }

  /** How many pushes a message to a user brings to each of some tokens. */
  async reached(userId: string, ...among: readonly ApnsToken[]): Promise<readonly number[]> {
    const pushes = await this.send(userId);
    return among.map(({ value }) => pushes.filter(({ token }) => token === value).length);
  }
}
