/**
 * Somebody else holds, or has changed meanwhile, what a request is about, so that it was not
 * carried out. A repetition is safe, and finds the new state.
 */
export class RegistryBusy extends Error {
  override readonly name = 'RegistryBusy';
}
