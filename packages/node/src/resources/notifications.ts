import type {
  Cancellation,
  Delivery,
  Explanation,
  NotificationAccepted,
  NotificationInput,
  NotificationReport,
  NotificationStanding,
  Validation,
} from '@homing/protocol';
import type { CallOptions, OnceOptions } from '../call.ts';
import type { Transport } from '../transport.ts';

export interface Notifications {
  /**
   * Notifies an audience; once it resolves, nothing but its expiry or a cancellation ends it. An
   * `idempotency_key` in the input counts like the option of that name, which goes before it.
   */
  send(input: NotificationInput, options?: OnceOptions): Promise<NotificationAccepted>;
  /** Says what `send` would do with the same input, and does nothing. */
  validate(input: NotificationInput, options?: OnceOptions): Promise<Validation>;
  /** Counts by state and reason. */
  get(notificationId: string, options?: CallOptions): Promise<NotificationReport>;
  /** Every delivery, as they come: any number of them in constant memory. */
  deliveries(notificationId: string, options?: CallOptions): AsyncGenerator<Delivery>;
  /** Why a user did, or did not, get it. */
  explain(notificationId: string, userId: string, options?: CallOptions): Promise<Explanation>;
  /** Skips what has not started; what has is not called back. */
  cancel(notificationId: string, options?: OnceOptions): Promise<Cancellation>;
  /** Lets it stand still. */
  pause(notificationId: string, options?: OnceOptions): Promise<NotificationStanding>;
  /** Lets it go on. */
  resume(notificationId: string, options?: OnceOptions): Promise<NotificationStanding>;
}

export function createNotifications(transport: Transport): Notifications {
  const act = <T>(id: string, verb: string, options: OnceOptions | undefined): Promise<T> =>
    transport.json('POST', ['notifications', id, verb], { options });
  return {
    send: async (input, options) =>
      transport.json('POST', ['notifications'], {
        json: input,
        options: withKeyOf(input, options),
      }),
    validate: async (input, options) =>
      transport.json('POST', ['notifications', 'validate'], {
        json: input,
        options: withKeyOf(input, options),
      }),
    get: (id, options) => transport.json('GET', ['notifications', id], { options }),
    deliveries: (id, options) =>
      transport.lines<Delivery>('GET', ['notifications', id, 'deliveries'], { options }),
    explain: (id, userId, options) =>
      transport.json('GET', ['notifications', id, 'explain'], {
        query: { user_id: userId },
        options,
      }),
    cancel: (id, options) => act(id, 'cancel', options),
    pause: (id, options) => act(id, 'pause', options),
    resume: (id, options) => act(id, 'resume', options),
  };
}

/** A key in the header would go before the one that the caller has put into the body. */
function withKeyOf({ idempotency_key: key }: NotificationInput, options: OnceOptions = {}) {
  return key === undefined ? options : { idempotencyKey: key, ...options };
}
