/**
 * What a person or a page of the shop does with push. A test calls these functions, each of which
 * comes to something that JSON can say.
 */
export function shopFunctions(push) {
  const scope = new URL('/homing-push/', location.href).href;
  let kept = null;

  async function shown() {
    const registration = await navigator.serviceWorker.getRegistration(scope);
    return (await registration?.getNotifications()) ?? [];
  }

  return {
    shown: async () => (await shown()).map(({ title, body, tag }) => ({ title, body, tag })),
    async keepShown() {
      [kept] = await shown();
    },
    /** A desktop may leave on the screen what it was told to take away. */
    async showKept() {
      const { title, data } = kept;
      const registration = await navigator.serviceWorker.getRegistration(scope);
      await registration.showNotification(title, { data });
    },
    status: () => push.status(),
    subscribe: () => push.subscribe(),
    unsubscribe: () => push.unsubscribe(),
    /** Signs in at the shop and for push, whoever was signed in before. */
    async login(user) {
      await session({ method: 'POST', body: user });
      await push.login(user, { assertion });
    },
    async logout() {
      await session({ method: 'DELETE' });
      await push.logout();
    },
    /** Resolves when the server has acknowledged a state with these values in its status. */
    async acknowledged(expected) {
      const { promise, resolve } = Promise.withResolvers();
      const look = async () => {
        const status = await push.status();
        const isExpected = ([name, value]) => String(status[name]) === String(value);
        if (status.registered && Object.entries(expected).every(isExpected)) resolve();
      };
      const stops = ['registered', 'signed_out'].map((name) => push.on(name, look));
      await look();
      await promise;
      for (const stop of stops) stop();
    },
    /** Subscribes like a page that has run away: many times at once, then again and again. */
    async runAway(atOnce, again) {
      await Promise.all(Array.from({ length: atOnce }, () => push.subscribe()));
      for (let count = 0; count < again; count += 1) {
        await push.unsubscribe();
        await push.subscribe();
      }
    },
  };
}

async function session(request) {
  const answer = await fetch('/session', request);
  if (!answer.ok) throw new Error(`the shop answers ${answer.status}`);
}

/** The shop's own server knows from the session who this is. */
async function assertion(installationId) {
  const answer = await fetch(`/assertion?installation=${installationId}`);
  if (!answer.ok) throw new Error(`nobody is signed in: ${answer.status}`);
  return answer.text();
}
