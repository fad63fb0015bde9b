// In place of the subscriptions that Chromium makes with Google's service, which cannot be reached:
// the shop's server makes them at a simulated one. All else is the browser's own.
PushManager.prototype.subscribe = ({ applicationServerKey }) =>
  askForSubscription({ method: 'POST', body: applicationServerKey });
PushManager.prototype.getSubscription = () => askForSubscription({ method: 'GET' });

async function askForSubscription(request) {
  const answer = await fetch('/subscription', request);
  if (answer.status === 204) return null;
  const { subscription, key } = await answer.json();
  const applicationServerKey = Uint8Array.fromBase64(key, { alphabet: 'base64url' }).buffer;
  return {
    endpoint: subscription.endpoint,
    options: { userVisibleOnly: true, applicationServerKey },
    toJSON: () => subscription,
    unsubscribe: async () => {
      await fetch('/subscription', { method: 'DELETE' });
      return true;
    },
  };
}
