import type { Cryptography } from '../core/ports.ts';

/** What is used of `expo-crypto`. */
export interface ExpoCrypto {
  readonly CryptoDigestAlgorithm: { readonly SHA256: unknown };
  getRandomBytes(count: number): Uint8Array;
  digest(algorithm: unknown, bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer>;
}

/** The cryptography of an app that has `expo-crypto`. */
export function createExpoCryptography(crypto: ExpoCrypto): Cryptography {
  return {
    randomBytes: (count) => crypto.getRandomBytes(count),
    // A copy, because a view of a larger buffer may be read whole by the native side.
    sha256: async (bytes) =>
      new Uint8Array(await crypto.digest(crypto.CryptoDigestAlgorithm.SHA256, bytes.slice())),
  };
}

/** Functions that an app without Expo takes from where it likes; Hermes itself has none of them. */
export interface CryptographySource {
  /** As in browsers; `react-native-get-random-values` makes it. At most 65,536 bytes at a time. */
  getRandomValues(bytes: Uint8Array<ArrayBuffer>): unknown;
  /** As of `@noble/hashes`, or of a native module. */
  sha256(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** The cryptography of an app that brings its own functions. */
export function createCryptography(source: CryptographySource): Cryptography {
  return {
    randomBytes: (count) => {
      const bytes = new Uint8Array(count);
      source.getRandomValues(bytes);
      return bytes;
    },
    sha256: async (bytes) => source.sha256(bytes),
  };
}
