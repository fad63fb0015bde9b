import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tool } from '../tool.ts';
import { freePort } from './free-port.ts';
import { makeNeutralIdentity, type NeutralIdentity, type NeutralServer } from './neutral-server.ts';
import { ServerProcess } from './server-process.ts';

export const NGINX: Tool = { command: 'nginx', versionArgs: ['-v'], packageName: 'nginx-light' };

export interface NginxOptions {
  /** How many streams a connection may have open, as it announces. */
  readonly streams: number;
  /**
   * The socket of a receiver that notes when pushes to tokens beginning with `timed` arrive; null
   * when nobody does. nginx cannot tell times finer than a millisecond.
   */
  readonly receiverSocket: string | null;
}

/** Tokens of devices that are gone begin with this, and of those whose pushes are timed. */
export const DEAD_PREFIX = 'dead';
export const TIMED_PREFIX = 'feed';

/** In the far future, in ms: a token counts as dead only if that is later than its confirmation. */
const GONE_SINCE = 4_102_444_800_000;

/**
 * nginx with one worker, which answers as APNs does for `/3/device/…`, as FCM does for `/v1/…` and
 * as Google's token endpoint does for `/token`. Its files vanish with the temporary directory.
 */
export async function startNginx(options: NginxOptions): Promise<NeutralServer> {
  const directory = await mkdtemp(join(tmpdir(), 'nginx-'));
  const identity = await makeNeutralIdentity(directory);
  const port = await freePort();
  const file = join(directory, 'nginx.conf');
  await writeFile(file, configuration(directory, identity, port, options));
  const args = ['-p', directory, '-e', 'stderr', '-c', file];
  const server = await ServerProcess.start('nginx', args, port);
  return {
    name: 'nginx',
    url: `https://127.0.0.1:${port}`,
    port,
    pid: server.pid,
    authorityPem: identity.authorityPem,
    authorityFile: identity.authorityFile,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Without a master, because a worker that root starts would be nobody and own no directory. */
function configuration(
  directory: string,
  { certificateFile, keyFile }: NeutralIdentity,
  port: number,
  { streams, receiverSocket }: NginxOptions,
): string {
  const dead = JSON.stringify({ reason: 'Unregistered', timestamp: GONE_SINCE });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `  ${name}_temp_path ${join(directory, name)};`)
    .join('\n');
  return `
daemon off;
master_process off;
worker_processes 1;
pid ${join(directory, 'nginx.pid')};
error_log stderr error;
events { worker_connections 1024; }
http {
  access_log off;
  default_type application/json;
  server_tokens off;
  # Large answers to many small requests; one connection lives for a whole benchmark.
  keepalive_requests 1000000000;
  keepalive_time 24h;
  keepalive_timeout 1h;
  http2_max_concurrent_streams ${streams};
${temporary}
${receiverSocket === null ? '' : upstream(receiverSocket)}
  server {
    listen 127.0.0.1:${port} ssl http2;
    ssl_certificate ${certificateFile};
    ssl_certificate_key ${keyFile};
    ssl_protocols TLSv1.2 TLSv1.3;
    location /3/device/ {
      add_header apns-id $http_apns_id;
      return 200;
    }
    location /3/device/${DEAD_PREFIX} { return 410 '${dead}'; }
${receiverSocket === null ? '' : receiverLocation()}
    location /v1/ { return 200 '{"name":"projects/acme-shop/messages/$request_id"}'; }
    location = /token {
      return 200 '{"access_token":"neutral","expires_in":3599,"token_type":"Bearer"}';
    }
  }
}
`;
}

function upstream(socket: string): string {
  return `  upstream receiver {
    server unix:${socket};
    keepalive 256;
    keepalive_requests 1000000000;
  }`;
}

function receiverLocation(): string {
  return `    location /3/device/${TIMED_PREFIX} {
      proxy_pass http://receiver;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      add_header apns-id $http_apns_id;
    }`;
}
