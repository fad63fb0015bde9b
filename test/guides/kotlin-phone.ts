import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Comes with Debian's package `kotlin`. */
const JAVA = 'java';

export interface KotlinPhoneOptions {
  /** The guide's code and its surroundings, compiled. */
  readonly jar: string;
  /** What outlives the process. */
  readonly storage: string;
  readonly homingUrl: string;
  readonly homingKey: string;
  /** What the app's back end says, as one line: an assertion, `not now` or `session ended`. */
  readonly prove: (userId: string, installationId: string) => Promise<string>;
}

/** One process of the app of `kotlin.md`; it obeys commands, see `kotlin/Phone.kt`. */
export interface KotlinPhone extends AsyncDisposable {
  /** Resolves to what the app said meanwhile, line by line. */
  tell(command: string): Promise<readonly string[]>;
}

/** Starts the app; disposing kills it, as a system does that needs the memory. */
export async function startKotlinPhone(options: KotlinPhoneOptions): Promise<KotlinPhone> {
  const { jar, storage, homingUrl, homingKey, prove } = options;
  const env = {
    PATH: process.env['PATH'],
    PHONE: storage,
    // 64 bits in hex, of this phone; a backup does not carry them.
    ANDROID_ID: hash('sha256', storage).slice(0, 16),
    HOMING_URL: homingUrl,
    HOMING_KEY: homingKey,
  };
  const app = spawn(JAVA, ['-XX:TieredStopAtLevel=1', '-Dfile.encoding=UTF-8', '-jar', jar], {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(app, 'exit');
  const lines = createInterface({ input: app.stdout })[Symbol.asyncIterator]();
  const untilOk = async (): Promise<readonly string[]> => {
    const said: string[] = [];
    while (true) {
      const next = await lines.next();
      assert.ok(next.done !== true, `the app has ended; it said: ${said.join(', ')}`);
      if (next.value === 'ok') return said;
      const [word, userId = '', installationId = ''] = next.value.split(' ');
      if (word === 'prove') app.stdin.write(`${await prove(userId, installationId)}\n`);
      else said.push(next.value);
    }
  };
  assert.deepEqual(await untilOk(), []);
  return {
    tell(command) {
      app.stdin.write(`${command}\n`);
      return untilOk();
    },
    async [Symbol.asyncDispose]() {
      app.kill('SIGKILL');
      await exited;
    },
  };
}
