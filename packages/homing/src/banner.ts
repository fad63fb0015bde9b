import type { ProvisionedApp } from '@homing/server';
import { randomBytes, randomUUID } from 'node:crypto';
import { DEMO_TOPIC } from './simulator-identity.ts';

export interface BannerFacts {
  readonly version: string;
  readonly readyMs: number;
  readonly apiUrl: string;
  readonly inspectionUrl: string;
  /** Where a Firefox asks for what was pushed to it. */
  readonly pushSocketUrl: string;
  readonly database: string;
  readonly app: ProvisionedApp;
}

/** What `homing dev` prints when it is ready; the first http:// address is the API's. */
export function renderBanner(facts: BannerFacts): string {
  const { apiUrl, app } = facts;
  const id = randomUUID();
  const secret = randomBytes(32).toString('base64url');
  const token = `0a${randomBytes(31).toString('hex')}`;
  const packet = {
    seq: 1,
    token: { provider: 'apns', value: token, environment: 'sandbox', topic: DEMO_TOPIC },
    user: { id: '42' },
  };
  const notification = {
    audience: { users: ['42'] },
    content: { title: 'Your order has shipped', body: 'Parcel 12345 is on its way' },
  };
  return `
Homing ${facts.version} is ready (${(facts.readyMs / 1000).toFixed(1)} s).

  API              ${apiUrl}        all routes: ${apiUrl}/docs
  Simulated phones ${facts.inspectionUrl}        what arrived: ${facts.inspectionUrl}/journal
  A Firefox asks   ${facts.pushSocketUrl}        how to tell it: docs/simulator-differences.md
  Database         ${facts.database}
  Demo app         ${app.id}        anybody may say who they are: for development only
  Secret key       ${app.secretKey}
  Publishable key  ${app.publishableKey}

1. A phone registers, with user 42 signed in:

curl -X PUT ${apiUrl}/v1/installations/${id} \\
  -H 'Authorization: Bearer ${app.publishableKey}' \\
  -H 'Homing-Installation-Secret: ${secret}' \\
  -H 'Content-Type: application/json' \\
  -d '${JSON.stringify(packet)}'

2. An order ships:

curl -X POST ${apiUrl}/v1/notifications \\
  -H 'Authorization: Bearer ${app.secretKey}' \\
  -H 'Content-Type: application/json' \\
  -d '${JSON.stringify(notification)}'

3. What happened to the phone:

curl ${apiUrl}/v1/installations/${id}/timeline \\
  -H 'Authorization: Bearer ${app.secretKey}'

Ctrl-C stops everything; the data stays.
`;
}
