import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveAll } from '../../src/outbound/public-lookup.ts';
import { shapeOf } from '../../src/providers/webpush/request-shape.ts';
import { ServiceRoute } from '../../src/providers/webpush/service-route.ts';
import { soon } from './pushes.ts';
import { AUTHORITY_PEM, startSmallPushService } from './small-push-service.ts';

test('a route without HTTP/2 asks for it again after an age, and not before', async () => {
  await using service = await startSmallPushService('http/1.1');
  const common = {
    origin: service.origin,
    ownHosts: new Set([service.host]),
    ca: AUTHORITY_PEM,
    resolve: resolveAll,
    authorization: () => 'vapid t=x, k=y',
    answerTimeoutMs: 5_000,
  };
  const head = { shape: shapeOf('high', null), path: '/', values: ['0', 'x'] } as const;
  const request = { ...head, body: Buffer.alloc(0) };
  await using patient = new ServiceRoute(common);
  for (let time = 0; time < 20; time += 1) {
    assert.equal((await patient.request(request, soon())).kind, 'answer');
  }
  // One that was told so, and one or two that carry all of them.
  const few = service.connections();
  assert.ok(few <= 3, `${few} connections`);
  await using eager = new ServiceRoute({ ...common, maxAgeMs: 1 });
  const deadline = performance.now() + 10_000;
  while (service.connections() < few + 6 && performance.now() < deadline) {
    assert.equal((await eager.request(request, soon())).kind, 'answer');
  }
  assert.ok(service.connections() >= few + 6, 'it was not asked again');
});
