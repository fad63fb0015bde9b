// The ready-made service worker. A site serves a file of its own with one line,
// `importScripts('https://push.example.com/sdk/worker.js')`; beside other listeners that line comes
// first, and they see nothing of what is Homing's.
import { createPushWorker } from './push-worker.ts';

declare const self: ServiceWorkerGlobalScope;

const worker = createPushWorker(self);

addEventListener('push', (event) => {
  if (worker.handlePush(event as PushEvent)) event.stopImmediatePropagation();
});
addEventListener('notificationclick', (event) => {
  if (worker.handleNotificationClick(event as NotificationEvent)) event.stopImmediatePropagation();
});
addEventListener('notificationclose', (event) => {
  if (worker.handleNotificationClose(event as NotificationEvent)) event.stopImmediatePropagation();
});
addEventListener('pushsubscriptionchange', (event) => {
  worker.handleSubscriptionChange(event as ExtendableEvent);
});
