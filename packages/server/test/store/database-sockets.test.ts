import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startLocalPostgres, type LocalPostgres } from '@homing/local-postgres';
import { createCertificateAuthority } from '@homing/simulators';
import { freePort } from '../../../../bench/neutral/free-port.ts';
import { createTestDatabase, type TestDatabase } from '../../../../test/database.ts';
import { isDatabaseUnavailable } from '../../src/domain/database-fault.ts';
import { openDatabase, type Database } from '../../src/store/sql.ts';

const SOCKET = '.s.PGSQL.5432';
/** A connection that the driver got stuck with is of use again after so many. */
const MOST_TRIES = 20;

describe('a pool whose server goes away', { timeout: 60_000 }, () => {
  let database: TestDatabase;
  let directory: string;
  let url: string;
  const clients = new Set<Socket>();
  before(async () => {
    database = await createTestDatabase();
    directory = await mkdtemp(join(tmpdir(), 'homing-proxy-'));
    // The driver takes a host for a directory when there is a comma in it.
    await mkdir(join(directory, ','));
    url = database.url.replace(/@[^/]+/, `@${encodeURIComponent(join(directory, ','))}`);
  });
  after(async () => {
    await database[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  /** Where the pools of these tests believe their server to be. */
  async function openProxy(): Promise<Server> {
    const upstream = join(socketDirectoryOf(database.url), SOCKET);
    const proxy = createServer((client) => {
      clients.add(client);
      const server = connect(upstream);
      client.pipe(server).pipe(client);
      client.on('error', () => server.destroy()).on('close', () => server.destroy());
      server.on('error', () => client.destroy()).on('close', () => client.destroy());
    });
    await once(proxy.listen(join(directory, ',', SOCKET)), 'listening');
    return proxy;
  }

  function cut(): void {
    for (const client of clients) client.destroy();
    clients.clear();
  }

  it('leaves no statement without an answer, also one that follows a failure at once', async () => {
    const proxy = await openProxy();
    const db = openDatabase({ url, maxConnections: 1, applicationName: 'socket test' });
    await db`select 1`;
    cut();
    // Nobody has told this side yet, so that it finds out by writing.
    await assert.rejects(db`select 2`, { code: 'EPIPE' });
    assert.ok((await triesOf(db)) <= 2);
    await db.end();
    await promisify(proxy.close.bind(proxy))();
  });

  it('works again as soon as the server is back', async () => {
    const db = openDatabase({ url, maxConnections: 2, applicationName: 'socket test' });
    for (let round = 0; round < 3; round += 1) {
      const refused = await Promise.allSettled([db`select 1`, db`select 2`, db`select 3`]);
      assert.ok(refused.every(({ status }) => status === 'rejected'));
      const proxy = await openProxy();
      assert.ok((await triesOf(db)) <= 2);
      cut();
      await promisify(proxy.close.bind(proxy))();
    }
    await db.end({ timeout: 1 });
  });

  it('also when a statement begins while the connection is found to be cut', async () => {
    const proxy = await openProxy();
    const db = openDatabase({ url, maxConnections: 1, applicationName: 'socket test' });
    for (let round = 0; round < 20; round += 1) {
      assert.ok((await triesOf(db)) <= MOST_TRIES);
      cut();
      await setImmediate();
      await db`select 1`.catch(() => {});
    }
    await db.end({ timeout: 1 });
    await promisify(proxy.close.bind(proxy))();
  });

  it('hears of an address that cannot be reached at all, and lives on', async () => {
    const db = openDatabase({
      url: 'postgres://postgres@255.255.255.255:5432/none',
      maxConnections: 1,
      applicationName: 'socket test',
    });
    await assert.rejects(db`select 1`, isDatabaseUnavailable);
    await db.end();
  });
});

describe('sslmode in the URL of the database', { timeout: 60_000 }, () => {
  let directory: string;
  let port: number;
  let postgres: LocalPostgres;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'homing-tls-'));
    port = await freePort();
    postgres = await startLocalPostgres({ directory, port });
    const authority = await createCertificateAuthority();
    const { keyPem, certificatePem } = await authority.issue(['127.0.0.1']);
    const db = openDatabase({ url: postgres.url, maxConnections: 1, applicationName: 'tls test' });
    // By the server itself, which runs as another user where root starts it.
    for (const [file, pem] of Object.entries({ key: keyPem, crt: certificatePem })) {
      const lines = `values ${pem
        .trim()
        .split('\n')
        .map((line) => `('${line}')`)
        .join()}`;
      await db.unsafe(`copy (${lines}) to program 'umask 077; cat > server.${file}'`);
    }
    await db.unsafe('alter system set ssl = on');
    await db.unsafe('select pg_reload_conf()');
    await db.end();
  });
  after(async () => {
    await postgres[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  async function isEncrypted(sslmode: string): Promise<boolean> {
    const { pathname } = new URL(postgres.url.replace(/@[^/]+/, '@placeholder'));
    const url = `postgres://postgres@127.0.0.1:${port}${pathname}?sslmode=${sslmode}`;
    const db = openDatabase({ url, maxConnections: 1, applicationName: 'tls test' });
    try {
      const [row] = await db<{ ssl: boolean }[]>`
        select ssl from pg_stat_ssl where pid = pg_backend_pid()`;
      return row?.ssl ?? assert.fail('the server knows of the connection');
    } finally {
      await db.end({ timeout: 1 });
    }
  }

  it('says whether the connection is encrypted', async () => {
    assert.equal(await isEncrypted('disable'), false);
    assert.equal(await isEncrypted('prefer'), true);
    assert.equal(await isEncrypted('require'), true);
  });

  it('has a certificate of nobody who is trusted refused', async () => {
    await assert.rejects(isEncrypted('verify-full'), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
  });

  it('is content, or is not, with a server that does not encrypt', async () => {
    const db = openDatabase({ url: postgres.url, maxConnections: 1, applicationName: 'tls test' });
    await db.unsafe('alter system set ssl = off');
    await db.unsafe('select pg_reload_conf()');
    await db.end();
    assert.equal(await isEncrypted('prefer'), false);
    await assert.rejects(isEncrypted('require'), /does not offer TLS/);
  });
});

function socketDirectoryOf(url: string): string {
  return decodeURIComponent(/@([^/]+)\//.exec(url)?.[1] ?? assert.fail('the server has a socket'));
}

/** How often a statement has to be tried until it is answered. */
async function triesOf(db: Database): Promise<number> {
  for (let tries = 1; ; tries += 1) {
    const answer = await db`select 1`.catch((error: unknown) => error);
    if (Array.isArray(answer)) return tries;
    assert.ok(isDatabaseUnavailable(answer), String(answer));
  }
}
