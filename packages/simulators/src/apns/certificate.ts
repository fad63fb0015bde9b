import type { TLSSocket } from 'node:tls';
import { APNS_ENVIRONMENT_EXTENSIONS, APNS_TOPICS_EXTENSION } from '../certificate-authority.ts';
import { findExtension, readElements, UTF8_STRING } from '../der.ts';
import type { Environment } from '../journal.ts';

/** A push certificate that a client showed while connecting. */
export interface ClientCertificate {
  /** False when the authority did not sign it, or it has expired. */
  readonly isTrusted: boolean;
  readonly topics: ReadonlySet<string>;
  readonly environments: ReadonlySet<Environment>;
}

/** Reads the client's certificate; null when it showed none. */
export function clientCertificate(socket: TLSSocket): ClientCertificate | null {
  const { raw } = socket.getPeerCertificate();
  // Node's type says that `raw` is always there; without a certificate it is not.
  if (!Buffer.isBuffer(raw)) return null;
  return {
    isTrusted: socket.authorized,
    topics: new Set(topicsOf(raw)),
    environments: new Set(environmentsOf(raw)),
  };
}

/** Each topic is followed by a sequence that names its uses, so only the first level counts. */
function topicsOf(certificate: Buffer): readonly string[] {
  const extension = findExtension(certificate, APNS_TOPICS_EXTENSION);
  const [list] = extension === null ? [] : readElements(extension);
  if (list === undefined) return [];
  return readElements(list.content)
    .filter((node) => node.tag === UTF8_STRING)
    .map((node) => node.content.toString('utf8'));
}

function environmentsOf(certificate: Buffer): readonly Environment[] {
  const environments: readonly Environment[] = ['production', 'sandbox'];
  return environments.filter(
    (name) => findExtension(certificate, APNS_ENVIRONMENT_EXTENSIONS[name]) !== null,
  );
}
