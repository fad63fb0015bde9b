import type { Address } from './address.ts';
import type { Message } from './message.ts';

/** One delivery made ready for its provider: what to say, to whom, until when. */
export interface Push {
  /**
   * UUID derived from (notification, installation, user). Every attempt carries the same one, so
   * that a repeat after an unknown outcome can be recognised on the wire and on the device.
   */
  readonly id: string;
  readonly address: Address;
  readonly message: Message;
  /** Addressee tag; null when the content is not user-bound. */
  readonly rcpt: string | null;
  /**
   * Keeps what several users of one device are sent apart where it would replace each other; null
   * where one user at most is signed in.
   */
  readonly collapseScope: string | null;
  /** After this instant the push is worthless and no provider may store it any longer. */
  readonly expiresAt: Date;
  /**
   * True when the installation's SDK draws notifications itself. Only then may FCM get a data
   * message: any other client would show nothing.
   */
  readonly drawnBySdk: boolean;
}
