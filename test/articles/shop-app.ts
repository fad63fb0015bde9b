import { startNetwork, type Network, type NetworkOptions } from '../network.ts';
import { API_NAMES, serveAsApiHost, type ApiHost, type SeenAnswer } from './api-host.ts';
import { Phone, type PhoneOptions } from './phone.ts';

/** A network that answers as the article's API, and phones with the article's app. */
export interface ShopApp extends AsyncDisposable {
  readonly network: Network;
  readonly answers: readonly SeenAnswer[];
  /** A phone in the hand of a user, whose session is a fresh assertion for every request. */
  phoneOf(userId: string, options?: PhoneOptions): Phone;
  /** What back ends see of the only installation that carries a token; null for none. */
  installationOf(phone: Phone): Promise<Installation | null>;
}

export interface Installation {
  readonly id: string;
  readonly status: string;
  readonly user: { readonly id: string } | null;
  readonly token: { readonly masked: string; readonly status: string } | null;
}

export async function startShopApp(
  identity: NonNullable<NetworkOptions['identity']>,
): Promise<ShopApp> {
  await using stack = new AsyncDisposableStack();
  const network = stack.use(await startNetwork({ identity, tls: API_NAMES }));
  const host: ApiHost = stack.use(serveAsApiHost(network));
  const owned = stack.move();
  return {
    network,
    answers: host.answers,
    phoneOf(userId, options) {
      const phone = new Phone({
        getAuthToken: () => network.issuer.sign(network.app.id, userId),
        ...options,
      });
      phone.storage.set('userId', userId);
      return phone;
    },
    async installationOf(phone) {
      const query = new URLSearchParams({ token: phone.token });
      const { body } = await network.backEnd.get(`/v1/installations?${query.toString()}`);
      const [installation] = body['data'] as unknown as readonly Installation[];
      return installation ?? null;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
