import assert from 'node:assert/strict';
import type { Answer, AnswerBody } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { apnsToken, fcmToken, type Device } from '../../../../test/device.ts';
import { startNetwork, type Network, type NetworkOptions } from '../../../../test/network.ts';

export const DAY_MS = 86_400_000;

/** Phones that have not been heard of for some days, of a platform each. */
export interface Silent {
  readonly platform: string;
  readonly days: number;
  readonly user?: string;
}

/** An app whose phones fall silent, and its reviews. */
export class Shop implements AsyncDisposable {
  readonly network: Network;

  constructor(network: Network) {
    this.network = network;
  }

  /** Enrols the phones in the order in which they fell silent, moving the clock in between. */
  async silence(phones: readonly Silent[]): Promise<readonly Device[]> {
    const { clock } = this.network;
    const devices = new Map<Silent, Device>();
    let ago = Math.max(...phones.map(({ days }) => days));
    for (const phone of phones.toSorted((a, b) => b.days - a.days)) {
      await clock.advance((ago - phone.days) * DAY_MS);
      ago = phone.days;
      devices.set(phone, await this.enrol(phone.platform, phone.user));
    }
    await clock.advance(ago * DAY_MS + 60_000);
    return phones.map((phone) => devices.get(phone) ?? assert.fail('not enrolled'));
  }

  async enrol(platform: string, user?: string): Promise<Device> {
    const device = this.network.device();
    const token = platform === 'android' ? fcmToken() : apnsToken();
    const signIn = user === undefined ? {} : { user: await proofOf(device, user) };
    assertAnswered(await device.sync({ token, device: { platform }, ...signIn }), 201);
    return device;
  }

  async configure(dormancy: Readonly<Record<string, unknown>>): Promise<void> {
    const answer = await this.network.backEnd.request('PATCH', '/v1/app', { dormancy });
    assertAnswered(answer, 200);
  }

  /** Counts anew, and returns the review when that is done. */
  async review(): Promise<AnswerBody> {
    const begun = await this.network.backEnd.request('POST', '/v1/reviews');
    assertAnswered(begun, 202);
    await this.network.homing.maintenance.run();
    return this.read(idOf(begun.body));
  }

  async read(id: string): Promise<AnswerBody> {
    const answer = await this.network.backEnd.get(`/v1/reviews/${id}`);
    assertAnswered(answer, 200);
    return answer.body;
  }

  async list(): Promise<readonly AnswerBody[]> {
    const answer = await this.network.backEnd.get('/v1/reviews');
    assertAnswered(answer, 200);
    return answer.body['data'] as unknown as readonly AnswerBody[];
  }

  agree(id: string, totals: Readonly<Record<string, number>>): Promise<Answer> {
    return this.network.backEnd.request('POST', `/v1/reviews/${id}/apply`, totals);
  }

  async apply(id: string, totals: Readonly<Record<string, number>>): Promise<AnswerBody> {
    assertAnswered(await this.agree(id, totals), 202);
    await this.network.homing.maintenance.run();
    return this.read(id);
  }

  async status(device: Device): Promise<unknown> {
    return (await this.network.backEnd.installation(device.id))['status'];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.network[Symbol.asyncDispose]();
  }
}

/** Without a dispatcher, unless the options name another role. */
export async function openShop(options: NetworkOptions = {}): Promise<Shop> {
  return new Shop(await startNetwork({ role: 'api', ...options }));
}

async function proofOf(device: Device, id: string) {
  return { id, assertion: await device.assertion(id) };
}

export function idOf(review: AnswerBody): string {
  return review['id'] as unknown as string;
}
