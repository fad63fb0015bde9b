/**
 * A small place for secrets that no backup takes to another device, by short names. Values are
 * ASCII and at most 1,900 characters long, because some platforms take no more than 2 KiB.
 */
export interface Vault {
  /** Null where there is none. Rejects where it cannot be told, as before the first unlock. */
  read(name: string): Promise<string | null>;
  /** Resolves once the value survives the end of the process. */
  write(name: string, value: string): Promise<void>;
  remove(name: string): Promise<void>;
}

/** The most that a vault takes under one name. */
export const VAULT_VALUE_LENGTH = 1900;
