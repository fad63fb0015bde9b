import { connect } from 'node:tls';
import type { ProviderEndpoints } from './config/config.ts';

/** Where a provider is, by what the configuration calls it. */
export interface ProviderPlace {
  readonly name: string;
  readonly url: string;
}

/** The places that Homing has to reach. */
export function providerPlaces({ ca: _ca, ...urls }: ProviderEndpoints): readonly ProviderPlace[] {
  return Object.entries(urls).flatMap(([name, url]) =>
    typeof url === 'string' && URL.canParse(url) ? [{ name, url }] : [],
  );
}

const PATIENCE_MS = 5_000;

/** Null when a TLS connection to the place can be made; otherwise the system's word on why not. */
export async function whyOutOfReach(url: string, ca: string | null): Promise<string | null> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const socket = connect({
    host,
    port: port === '' ? 443 : Number(port),
    ALPNProtocols: ['h2', 'http/1.1'],
    ...(host === '' || /^[\d.]+$|:/.test(host) ? {} : { servername: host }),
    ...(ca === null ? {} : { ca }),
  });
  const timer = setTimeout(() => resolve('no answer within 5 s'), PATIENCE_MS);
  socket.once('secureConnect', () => resolve(null));
  socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}
