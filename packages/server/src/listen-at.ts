import type { AddressInfo } from 'node:net';
import type { Config } from './config/config.ts';
import type { HttpServer } from './http/server.ts';

/** Listens on the configured address, and resolves with the base URL. */
export async function listenAt(
  server: HttpServer,
  { host, tls }: Pick<Config['http'], 'host' | 'tls'>,
  port: number,
): Promise<string> {
  await server.listen({ host, port });
  const address = server.server.address() as AddressInfo;
  return `${tls === null ? 'http' : 'https'}://${host}:${address.port}`;
}
