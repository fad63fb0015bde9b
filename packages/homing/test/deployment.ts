import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createApp, createLogger, readConfig, readSecrets } from '@homing/server';
import type { ProvisionedApp } from '@homing/server';
import type { Entry } from '@homing/simulators';
import { request } from '../../../test/answer.ts';
import { BackEnd } from '../../../test/back-end.ts';
import { ensureDemoApp } from '../src/demo-app.ts';
import { DEMO_TOPIC, loadSimulatorIdentity } from '../src/simulator-identity.ts';
import type { SimulatorIdentity } from '../src/simulator-identity.ts';
import { startSimulatorSet, type SimulatorSet } from '../src/simulator-set.ts';
import { HomingProcess, type CommandEnvironment } from './homing-process.ts';
import type { ScratchDirectory } from './scratch-directory.ts';

/** What a simulated phone or browser reports as its token. */
export type PhoneToken = Readonly<Record<string, unknown>> & { readonly provider: string };

/**
 * What stands around `homing serve` in production: simulated providers, an app with credentials,
 * the environment that leads a process to both, and an API in the test's own process that outlives
 * every server that a test kills.
 */
export class Deployment implements AsyncDisposable {
  readonly simulators: SimulatorSet;
  readonly identity: SimulatorIdentity;
  readonly backEnd: BackEnd;
  readonly #app: ProvisionedApp;
  readonly #apiUrl: string;
  readonly #environment: CommandEnvironment;
  readonly #owned: AsyncDisposableStack;

  private constructor(
    { simulators, identity }: Pick<Deployment, 'simulators' | 'identity'>,
    app: ProvisionedApp,
    apiUrl: string,
    environment: CommandEnvironment,
    owned: AsyncDisposableStack,
  ) {
    this.simulators = simulators;
    this.identity = identity;
    this.#app = app;
    this.#apiUrl = apiUrl;
    this.#environment = environment;
    this.#owned = owned;
    this.backEnd = new BackEnd(apiUrl, app.secretKey);
  }

  /** Prepares everything on an empty database, or on one that is migrated. */
  static async create(scratch: ScratchDirectory, databaseUrl: string): Promise<Deployment> {
    await using stack = new AsyncDisposableStack();
    const directory = scratch.next();
    const identity = await loadSimulatorIdentity(join(directory, 'simulators.json'));
    const options = { identity, host: '127.0.0.1', firstPort: 0, onEntry: () => {} };
    const simulators = stack.use(await startSimulatorSet(options));
    const authorityFile = join(directory, 'ca.pem');
    await writeFile(authorityFile, identity.authority.certificatePem);
    const environment = {
      HOMING_DATABASE_URL: databaseUrl,
      HOMING_MASTER_KEY: randomBytes(32).toString('base64'),
      HOMING_PORT: '0',
      HOMING_LOG_LEVEL: 'error',
      HOMING_APNS_URL: simulators.endpoints.apns,
      HOMING_APNS_SANDBOX_URL: simulators.endpoints.apnsSandbox,
      HOMING_FCM_URL: simulators.endpoints.fcm,
      HOMING_EXPO_URL: simulators.endpoints.expo,
      HOMING_GOOGLE_TOKEN_URL: simulators.endpoints.googleToken,
      HOMING_HMS_URL: simulators.endpoints.hms,
      HOMING_HMS_TOKEN_URL: simulators.endpoints.hmsToken,
      HOMING_WEBPUSH_HOSTS: simulators.endpoints.webPushHosts.join(','),
      HOMING_PROVIDER_CA_FILE: authorityFile,
    };
    const config = readConfig({ ...environment, HOMING_ROLE: 'api' });
    const logger = createLogger('silent');
    const observer = stack.use(createApp(config, readSecrets(environment), { logger }));
    const url = await observer.start();
    assert(url !== null);
    const app = await ensureDemoApp(join(directory, 'demo-app.json'), observer, identity);
    return new Deployment({ simulators, identity }, app, url, environment, stack.move());
  }

  /** Starts `homing serve` in a role; the caller disposes it. */
  serve(role: 'api' | 'worker' | 'all'): HomingProcess {
    return new HomingProcess(['serve', '--role', role], this.#environment);
  }

  /** Runs a command that ends by itself, in the same surroundings but for what is given. */
  run(
    args: readonly string[],
    environment: CommandEnvironment = {},
    nodeOptions: readonly string[] = [],
  ): HomingProcess {
    return new HomingProcess(args, { ...this.#environment, ...environment }, nodeOptions);
  }

  get masterKey(): string {
    return this.#environment['HOMING_MASTER_KEY'] ?? '';
  }

  /** The customer's back end, talking to the API of this process. */
  async backEndOf(homing: HomingProcess): Promise<BackEnd> {
    const [, url = ''] = await homing.says(/^Homing serves (\S+)$/m);
    return new BackEnd(url, this.#app.secretKey);
  }

  /** Registers a fresh installation with its token, the user signed in. */
  async register(userId: string, token: PhoneToken): Promise<void> {
    const apns = { environment: 'production', topic: DEMO_TOPIC };
    const answer = await request(`${this.#apiUrl}/v1/installations/${randomUUID()}`, {
      method: 'PUT',
      headers: {
        authorization: `Bearer ${this.#app.publishableKey}`,
        'homing-installation-secret': randomBytes(32).toString('base64url'),
      },
      body: {
        seq: 1,
        token: { ...token, ...(token.provider === 'apns' && apns) },
        user: { id: userId },
      },
    });
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
  }

  /** The pushes that the providers took, oldest first. */
  pushes(): readonly Entry[] {
    const { journal } = this.simulators;
    return journal.entries().filter((entry) => entry.token !== null && entry.accepted);
  }

  /** Resolves when the providers have taken so many pushes in all. */
  async pushesArrived(count: number, timeoutMs: number): Promise<readonly Entry[]> {
    await this.simulators.journal.waitFor(() => this.pushes().length >= count, { timeoutMs });
    return this.pushes();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}
