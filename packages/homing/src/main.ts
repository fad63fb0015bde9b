#!/usr/bin/env node
import { Command, InvalidArgumentError } from 'commander';
import { VERSION, type Environment } from '@homing/server';
import { startDev } from './dev.ts';
import { describeFailure, startServe } from './serve.ts';
import { startSim } from './sim.ts';

const say = (line: string): void => console.log(line);
const environment: Environment & { readonly HOMING_PG_BIN?: string } = process.env;

const program = new Command('homing')
  .description('Self-hosted push notifications with a registry that is right')
  .version(VERSION)
  .showHelpAfterError()
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));

program
  .command('dev')
  .description('everything on this machine: database, API, worker, simulated providers, demo app')
  .option('--data <directory>', 'where everything is kept', '.homing')
  .option('--host <address>', 'the address to listen on', '127.0.0.1')
  .option('--port <number>', 'the port of the API', toPort, 8700)
  .option('--simulator-port <number>', 'the first of four ports for simulators', toPort, 8701)
  .action((options: { data: string; host: string; port: number; simulatorPort: number }) =>
    runUntilSignal(() =>
      startDev({
        directory: options.data,
        host: options.host,
        port: options.port,
        simulatorPort: options.simulatorPort,
        environment,
        binDirectory: environment.HOMING_PG_BIN ?? null,
        say,
      }),
    ),
  );

program
  .command('serve')
  .description('the server, configured by environment variables (docs/config.md)')
  .option('--role <role>', 'api, worker or all; overrides HOMING_ROLE')
  .action((options: { role?: string }) => {
    const role = options.role === undefined ? {} : { HOMING_ROLE: options.role };
    return runUntilSignal(() => startServe({ environment: { ...environment, ...role }, say }));
  });

program
  .command('sim')
  .description('the simulated providers alone')
  .option('--data <directory>', 'where their keys are kept', '.homing')
  .option('--host <address>', 'the address to listen on', '127.0.0.1')
  .option('--simulator-port <number>', 'the first of four ports', toPort, 8701)
  .action((options: { data: string; host: string; simulatorPort: number }) =>
    runUntilSignal(() =>
      startSim({
        directory: options.data,
        host: options.host,
        simulatorPort: options.simulatorPort,
        say,
      }),
    ),
  );

await program.parseAsync();

/** Starts something, waits for SIGINT or SIGTERM, stops it; a second signal ends at once. */
async function runUntilSignal(start: () => Promise<AsyncDisposable>): Promise<void> {
  const signalled = new Promise<void>((resolve) => {
    let count = 0;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        count += 1;
        if (count > 1) process.exit(1);
        resolve();
      });
    }
  });
  try {
    const running = await start();
    await signalled;
    await running[Symbol.asyncDispose]();
    process.exitCode = 0;
  } catch (error) {
    const failure = describeFailure(error);
    if (failure === null) console.error(error);
    else console.error(`homing: ${failure.message}`);
    process.exitCode = failure?.exitCode ?? 1;
  }
}

function toPort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) {
    throw new InvalidArgumentError('a port is a number from 0 to 65535');
  }
  return port;
}
