import swagger from '@fastify/swagger';
import type { HttpServer } from './server.ts';

/** Collects the contract from the routes' own schemas; has to come before the routes. */
export async function documentRoutes(server: HttpServer, version: string): Promise<void> {
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Homing',
        version,
        description:
          'Push notifications to the devices on which a user is signed in, and no other.',
      },
      components: {
        securitySchemes: {
          key: { type: 'http', scheme: 'bearer', description: 'hmg_sk_… or hmg_pk_…' },
          installation: { type: 'apiKey', in: 'header', name: 'Homing-Installation-Secret' },
        },
      },
    },
    refResolver: {
      buildLocalReference: ({ $id }, _base, _fragment, index) =>
        typeof $id === 'string' ? $id : `schema-${index}`,
    },
  });
  server.get(
    '/openapi.json',
    { schema: { summary: 'This contract, for programs', tags: ['operations'] } },
    async () => server.swagger(),
  );
}
