// What `npm start` runs: the client for web pages is bundled from its sources, which a clone has
// without a build, so that the server can hand it out; then the command begins.
import { fileURLToPath } from 'node:url';
import { bundleClient } from './bundle-client.ts';

await bundleClient(fileURLToPath(new URL('../packages/client/dist', import.meta.url)));
await import('../packages/homing/src/main.ts');
