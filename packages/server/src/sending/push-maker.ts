import { deliveryId } from '../domain/delivery-id.ts';
import type { GateRow } from '../domain/gate.ts';
import type { Notification, Variables } from '../domain/notification.ts';
import type { Push } from '../domain/push.ts';
import type { Renderer } from './render.ts';

/** Turns one notification into the push of each of its deliveries. */
export interface PushMaker {
  /** `variables` are what an uploaded list says about the recipient; null where it says nothing. */
  make(row: GateRow, address: Push['address'], variables: Variables | null): Push;
}

export function createPushMaker(notification: Notification, renderer: Renderer): PushMaker {
  return {
    make(row, address, variables) {
      const isUserBound = row.userRef !== 0;
      const userId = isUserBound ? row.ownerId : null;
      return {
        id: deliveryId(notification.id, row),
        address,
        message: renderer.render({ locale: row.locale, userId, variables }),
        rcpt: isUserBound ? row.rcpt : null,
        collapseScope: row.isShared ? row.rcpt : null,
        expiresAt: notification.expiresAt,
        drawnBySdk: row.sdkVersion !== null,
      };
    },
  };
}
