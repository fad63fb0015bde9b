// The shop's own worker: the SDK's, and a word to the shop's server when an event has been dealt
// with to the end, so that a test need not guess how long that takes.
for (const name of ['push', 'notificationclick', 'notificationclose', 'pushsubscriptionchange']) {
  addEventListener(name, (event) => {
    // The event has the method from its prototype; this one is found before it.
    event.waitUntil = (work) => {
      const done = Promise.resolve(work).then(
        () => report(event, null),
        (error) => report(event, String(error)),
      );
      ExtendableEvent.prototype.waitUntil.call(event, done);
    };
  });
}

async function report(event, failure) {
  const { type, isTrusted } = event;
  const title = event.notification?.title ?? event.data?.json().title ?? null;
  const body = JSON.stringify({ type, title, isTrusted, failure });
  await fetch('/handled', { method: 'POST', body });
}

importScripts('BASE_URL/sdk/worker.js');
