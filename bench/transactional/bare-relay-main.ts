// The other half of the reference: hears of a row and pushes. Argument: its options as JSON.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { openDatabase } from '../../packages/server/src/store/sql.ts';
import { WIRE_AUTHORIZATION, WIRE_BODY, WIRE_CONSTANTS } from '../wire/wire-push.ts';
import { BARE_CHANNEL, type BareRelayOptions } from './bare.ts';

const [text] = process.argv.slice(2);
assert(text !== undefined);
const { databaseUrl, providerUrl, authorityPem } = JSON.parse(text) as BareRelayOptions;
const session = connect(providerUrl, { ca: authorityPem, settings: { enablePush: false } });
await once(session, 'remoteSettings');
const db = openDatabase({ url: databaseUrl, maxConnections: 1, applicationName: 'bare relay' });
await db.listen(BARE_CHANNEL, push);
process.once('disconnect', () => process.exit());
process.send?.({});

function push(token: string): void {
  const stream = session.request({
    ':method': 'POST',
    ':path': `/3/device/${token}`,
    authorization: WIRE_AUTHORIZATION,
    ...WIRE_CONSTANTS,
  });
  stream.resume();
  stream.end(WIRE_BODY);
}
