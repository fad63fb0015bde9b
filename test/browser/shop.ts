import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createVapidKeys } from '@homing/simulators';
import type { ProvisionedApp } from '@homing/server';
import { BackEnd } from '../back-end.ts';
import type { Network } from '../network.ts';
import { Inbox } from './inbox.ts';
import { startLine, type Line } from './line.ts';
import type { SdkFiles } from './sdk-files.ts';
import { always, startSite, type SiteRoutes } from './site.ts';

/** What the shop's worker says of an event that the SDK has dealt with to the end. */
export interface Handled {
  readonly type: 'push' | 'notificationclick' | 'notificationclose' | 'pushsubscriptionchange';
  readonly title: string | null;
  readonly isTrusted: boolean;
  /** With what the SDK's work was rejected. */
  readonly failure: string | null;
}

type Fields = Readonly<Record<string, unknown>>;

/** A shop on the web: its site with users and sessions, its app at the server, its back end. */
export interface Shop extends AsyncDisposable {
  readonly url: string;
  readonly app: ProvisionedApp;
  readonly backEnd: BackEnd;
  /** Between its pages and the server. */
  readonly line: Line;
  /** Waits until its worker has dealt with an event; a failure there fails the test. */
  handled(type: Handled['type'], title?: string): Promise<Handled>;
  /** Sends to a user, and waits until the push services have it; returns the notification's id. */
  send(user: string, content: Fields, options?: Fields): Promise<string>;
}

export interface ShopOptions {
  /** A file of the shop with which its page and its worker begin. */
  readonly prelude?: string;
  /** What that asks for. */
  readonly routes?: SiteRoutes;
}

/** Opens a shop of its own origin, with an app of its own and a fresh key for Web Push. */
export async function openShop(
  network: Network,
  sdk: SdkFiles,
  { prelude, routes = {} }: ShopOptions = {},
): Promise<Shop> {
  await using stack = new AsyncDisposableStack();
  const inbox = new Inbox<Handled>();
  const line = stack.use(await startLine(network.url));
  const site = stack.use(
    await startSite({
      ...(await pages(sdk, line.url, prelude)),
      'GET /script': async () => ({
        type: 'text/html',
        body: (await readShopFile('script.html'))
          .replace('BASE_URL', line.url)
          .replace('PUBLISHABLE_KEY', app.publishableKey),
      }),
      ...sessions((user, installationId) => network.issuer.sign(app.id, user, { installationId })),
      'GET /settings': () => ({
        type: 'application/json',
        body: JSON.stringify({ baseUrl: line.url, key: app.publishableKey }),
      }),
      'POST /handled': ({ body }) => {
        inbox.add(JSON.parse(body) as Handled);
        return {};
      },
      ...routes,
    }),
  );
  const webpush = { subject: 'mailto:push@example.com', ...createVapidKeys() };
  const app = await network.provision({
    allowedOrigins: [site.origin],
    credentials: { webpush },
  });
  const backEnd = new BackEnd(network.url, app.secretKey);
  const owned = stack.move();
  return {
    url: `${site.origin}/`,
    app,
    backEnd,
    line,
    async handled(type, title) {
      const fits = (one: Handled): boolean =>
        one.type === type && (title === undefined || one.title === title);
      const found = await inbox.take(`${type} ${title ?? ''}`, fits);
      assert.equal(found.failure, null);
      return found;
    },
    async send(user, content, options = {}) {
      const id = await backEnd.sendToUsers([user], content, { options });
      await network.drain();
      return id;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function pages(sdk: SdkFiles, baseUrl: string, prelude?: string): Promise<SiteRoutes> {
  const start = prelude === undefined ? '' : await readShopFile(prelude);
  const worker = (await readShopFile('homing-worker.js')).replace('BASE_URL', baseUrl);
  return {
    'GET *': always('text/html', await readShopFile('index.html')),
    'GET /favicon.ico': () => ({ status: 404 }),
    'GET /page.js': always('text/javascript', start + (await readShopFile('page.js'))),
    'GET /functions.js': always('text/javascript', await readShopFile('functions.js')),
    'GET /homing-worker.js': always('text/javascript', start + worker),
    'GET /sdk/web.js': always('text/javascript', sdk.module),
  };
}

function readShopFile(name: string): Promise<string> {
  return readFile(new URL(`shop/${name}`, import.meta.url), 'utf8');
}

/** Who is signed in is in a cookie, and only the back end vouches for it. */
function sessions(vouch: (user: string, installationId: string) => Promise<string>): SiteRoutes {
  const users = new Map<string, string>();
  const userOf = (cookie: string | null): string | undefined =>
    users.get(/session=([\w-]+)/.exec(cookie ?? '')?.[1] ?? '');
  return {
    'POST /session': ({ body }) => {
      const id = randomUUID();
      users.set(id, body);
      return { headers: { 'set-cookie': `session=${id}; HttpOnly; SameSite=Lax; Path=/` } };
    },
    'DELETE /session': () => ({
      headers: { 'set-cookie': 'session=; HttpOnly; Max-Age=0; Path=/' },
    }),
    'GET /assertion': async ({ cookie, query }) => {
      const user = userOf(cookie);
      if (user === undefined) return { status: 401 };
      return { body: await vouch(user, query.get('installation') ?? '') };
    },
  };
}
