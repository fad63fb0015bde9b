import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { assertRefused, connectTo, deviceToken, push, pushTo, startApns } from './apns-client.ts';
import { refused } from './http2-client.ts';

const REFUSED_STREAM = 7;

describe('a connection to APNs', () => {
  it('allows one stream until the first valid provider token and 1000 from then on', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    assertRefused(await push(client, { authorization: 'bearer x' }), 403, 'InvalidProviderToken');
    assert.deepEqual(client.streamLimits, [1]);
    const raised = client.nextSettings();
    await push(client);
    await raised;
    assert.deepEqual(client.streamLimits, [1, 1000]);
  });

  it('falls back to one stream after an error and recovers after a success', async () => {
    await using simulator = await startApns({ knobs: { dropsStreamsAfterError: true } });
    await using client = await connectTo(simulator);
    await push(client);
    const dropped = client.nextSettings();
    assertRefused(await pushTo(client, deviceToken('dead0400')), 400, 'BadDeviceToken');
    await dropped;
    const raised = client.nextSettings();
    await push(client);
    await raised;
    assert.deepEqual(client.streamLimits, [1, 1000, 1, 1000]);
  });

  it('does not fall back for 410, which is no error', async () => {
    await using simulator = await startApns({ knobs: { dropsStreamsAfterError: true } });
    await using client = await connectTo(simulator);
    await push(client);
    assertRefused(await pushTo(client, deviceToken('dead0410')), 410, 'Unregistered');
    await push(client);
    assert.deepEqual(client.streamLimits, [1, 1000]);
  });

  it('is closed after a burst of BadDeviceToken, but not of 410', async () => {
    await using simulator = await startApns({ knobs: { closesAfterBadDeviceTokens: 3 } });
    await using client = await connectTo(simulator);
    for (let count = 0; count < 5; count += 1) await pushTo(client, deviceToken('dead0410'));
    assert.equal(client.goaways.length, 0);
    for (let count = 0; count < 3; count += 1) await pushTo(client, deviceToken('dead0400'));
    await client.closed();
    assert.equal(client.goaways[0]?.reason, 'BadDeviceToken');
  });

  for (const reason of ['IdleTimeout', 'Shutdown', 'Maximum active streams violated']) {
    it(`can be told to go away with the reason "${reason}"`, async () => {
      await using simulator = await startApns();
      await using client = await connectTo(simulator);
      await push(client);
      simulator.connections[0]?.goaway({ reason });
      await client.closed();
      assert.deepEqual(client.goaways[0], { errorCode: 0, lastStreamId: 1, reason });
    });
  }

  it('answers streams up to the last stream id of a GOAWAY and refuses those above', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    const raised = client.nextSettings();
    await push(client);
    await raised;
    using hold = simulator.faults.hold();
    const kept = pushTo(client, deviceToken());
    const dropped = refused(pushTo(client, deviceToken()));
    await hold.arrived(2);
    simulator.connections[0]?.goaway({ reason: 'Shutdown', lastStreamId: 3 });
    assert.equal((await dropped).rstCode, REFUSED_STREAM);
    hold.release();
    assert.equal((await kept).status, 200);
    await client.closed();
    assert.equal(client.goaways[0]?.lastStreamId, 3);
  });

  it('can change the number of streams at any time', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    for (const limit of [500, 2, 1000]) {
      const changed = client.nextSettings();
      simulator.connections[0]?.setMaxConcurrentStreams(limit);
      await changed;
    }
    assert.deepEqual(client.streamLimits, [1, 500, 2, 1000]);
  });

  it('answers PING', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    const payload = Buffer.from('homing!!');
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    client.session.ping(payload, (error, _durationMs, echoed) => {
      if (error === null) resolve(Buffer.from(echoed));
      else reject(error);
    });
    assert.deepEqual(await promise, payload);
  });

  it('is listed while it lives', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    assert.deepEqual(
      simulator.connections.map(({ id, protocol }) => [id, protocol]),
      [[1, 'h2']],
    );
    const [connection] = simulator.connections;
    assert.ok(connection);
    const gone = once(connection.tls, 'close');
    client.session.close();
    await gone;
    assert.deepEqual(simulator.connections, []);
  });
});
