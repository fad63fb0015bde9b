/**
 * One step of a shop's fulfilment: the carrier has accepted a parcel, so whoever ordered what is in
 * it is told that the order has shipped, on every device they are signed in on.
 *
 *   HOMING_URL=http://127.0.0.1:8080 HOMING_SECRET_KEY=hmg_sk_test_… node fulfilment.ts parcel-7001
 */

interface Order {
  readonly number: string;
  /** The shop's own id of the customer; the app signs in with the same id. */
  readonly customerId: string;
}

/** Which order a parcel belongs to. A real shop asks its database. */
const ORDER_OF_PARCEL: ReadonlyMap<string, Order> = new Map([
  ['parcel-7001', { number: '12345', customerId: 'sara' }],
  ['parcel-7002', { number: '12346', customerId: 'maria' }],
]);

const ATTEMPTS = 4;
const DEFAULT_PAUSE_SECONDS = 1;

async function announceShipment(parcel: string): Promise<string> {
  const order = ORDER_OF_PARCEL.get(parcel);
  if (order === undefined) throw new Error(`No order has a parcel "${parcel}".`);
  const response = await post('/v1/notifications', `shipped:${parcel}`, {
    audience: { users: [order.customerId] },
    content: {
      title: 'Your order has shipped',
      body: 'Order {{ order }} is on its way to you.',
      data: { order: order.number, parcel },
    },
    variables: { order: order.number },
    category: 'transactional',
  });
  const { id } = (await response.json()) as { readonly id: string };
  const isRepeated = response.headers.get('idempotent-replayed') === 'true';
  return isRepeated
    ? `Customer ${order.customerId} was told before that order ${order.number} has shipped (${id}).`
    : `Customer ${order.customerId} is told that order ${order.number} has shipped (${id}).`;
}

/**
 * Posts, again if the server asks for it. The key makes that safe: however often the carrier's
 * message or this request comes, the customer gets one push on each device.
 */
async function post(path: string, idempotencyKey: string, body: unknown): Promise<Response> {
  const url = new URL(path, setting('HOMING_URL'));
  const request = {
    method: 'POST',
    headers: {
      authorization: `Bearer ${setting('HOMING_SECRET_KEY')}`,
      'content-type': 'application/json',
      'idempotency-key': idempotencyKey,
    },
    body: JSON.stringify(body),
  };
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(url, request);
    if (response.ok) return response;
    if (!isWorthRepeating(response) || attempt === ATTEMPTS) {
      throw new Error(`Homing answered ${response.status}: ${await response.text()}`);
    }
    const seconds = Number(response.headers.get('retry-after') ?? DEFAULT_PAUSE_SECONDS);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  }
}

/** Still being worked on, too fast, or briefly away. */
function isWorthRepeating({ status }: Response): boolean {
  return status === 409 || status === 429 || status === 503;
}

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`Set ${name} in the environment.`);
  return value;
}

try {
  const [parcel] = process.argv.slice(2);
  if (parcel === undefined) throw new Error('Name the parcel: node fulfilment.ts parcel-7001');
  console.log(await announceShipment(parcel));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
