import type { TokenInput } from '@homing/protocol';
import type { DeviceFacts, Platform } from '../core/ports.ts';
import { deviceFacts, type AppFacts, type SystemPlatform } from './device-facts.ts';
import type { PermissionSource } from './permission-source.ts';
import type { Screen } from './screen.ts';
import { thrownTokenFailure } from './token-failure.ts';
import type { TokenSource } from './token-source.ts';

export interface PlatformParts {
  /** React Native's own `Platform`. */
  readonly system: SystemPlatform;
  readonly app: () => Promise<AppFacts>;
  readonly permission: PermissionSource;
  readonly token: TokenSource;
  readonly screen: Screen;
}

/** Makes a platform of its parts, none of whose failures it lets through. */
export function createPlatform(parts: PlatformParts): Platform {
  const { system, app, permission, token, screen } = parts;
  return {
    device: async (): Promise<DeviceFacts> =>
      deviceFacts(system, await app().catch((): AppFacts => ({}))),
    permission: () => permission.read(),
    requestPermission: () => permission.request(),
    token: () => token.ask().catch(thrownTokenFailure),
    onToken: (listener) => listenTo(token, listener),
    // The server is told as well, so that a system that keeps the token does no harm.
    dropToken: () => token.drop().catch(() => undefined),
    // What cannot be taken away stays; the next call of the app's own may do it.
    clearShown: () => screen.clear().catch(() => undefined),
  };
}

/** A module that refuses to be listened to refuses to be asked as well, and says why there. */
function listenTo(token: TokenSource, listener: (token: TokenInput) => void): () => void {
  try {
    return token.listen(listener);
  } catch {
    return () => undefined;
  }
}
