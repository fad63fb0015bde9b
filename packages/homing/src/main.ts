#!/usr/bin/env node
import { once } from 'node:events';
import { Command, InvalidArgumentError, Option } from 'commander';
import { LIMITS, VERSION, type Environment } from '@homing/server';
import { startDev } from './dev.ts';
import { runDoctor } from './doctor.ts';
import { CommandFailure, describeFailure } from './failure.ts';
import { runRewrap } from './rewrap.ts';
import { startServe } from './serve.ts';
import { startSim } from './sim.ts';
import { SIMULATOR_PORTS } from './simulator-set.ts';

/** A launcher repeats what a terminal has sent to the whole group already: no second wish. */
const SAME_SIGNAL_MS = 1_000;
const LAST_PORT = 65_535;

const say = (line: string): void => console.log(line);
const environment: Environment & { readonly HOMING_PG_BIN?: string } = process.env;

const program = new Command('homing')
  .description('Self-hosted push notifications with a registry that is right')
  .version(VERSION)
  .configureOutput({ outputError: (text, write) => write(`${toComplaint(text)}\n`) })
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));

program
  .command('dev')
  .description('everything on this machine: database, API, worker, simulated providers, demo app')
  .option('--data <directory>', 'where everything is kept', '.homing')
  .option('--host <address>', 'the address to listen on', '127.0.0.1')
  .option('--port <number>', 'the port of the API', toPort, 8700)
  .option(
    '--simulator-port <number>',
    'the first of a row of ports for simulators',
    toFirstPort,
    8701,
  )
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
  .addOption(new Option('--role <role>', 'overrides HOMING_ROLE').choices(['api', 'worker', 'all']))
  .action((options: { role?: string }) => {
    const role = options.role === undefined ? {} : { HOMING_ROLE: options.role };
    return runUntilSignal(() => startServe({ environment: { ...environment, ...role }, say }));
  });

program
  .command('sim')
  .description('the simulated providers alone')
  .option('--data <directory>', 'where their keys are kept', '.homing')
  .option('--host <address>', 'the address to listen on', '127.0.0.1')
  .option('--simulator-port <number>', 'the first of a row of ports', toFirstPort, 8701)
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

program
  .command('doctor')
  .description('what keeps this deployment from working, and what to do about it')
  .option('--json', 'one JSON document', false)
  .action(({ json }: { json: boolean }) => runOnce(() => runDoctor({ environment, json, say })));

program
  .command('rewrap')
  .description('seals all secrets in the database with the newest master key')
  .option('--json', 'one JSON document', false)
  .action(({ json }: { json: boolean }) => {
    const draw = process.stderr.isTTY ? (text: string) => process.stderr.write(text) : null;
    return runOnce(() => runRewrap({ environment, json, say, draw }));
  });

await program.parseAsync();

/** Runs something that ends by itself; exit code 0 when it says that all is well. */
async function runOnce(run: () => Promise<boolean>): Promise<void> {
  try {
    process.exitCode = (await run()) ? 0 : 1;
  } catch (error) {
    complain(error);
  }
}

/** A line for what a person can put right, the whole error for a fault of ours. */
function complain(error: unknown): void {
  const failure = describeFailure(error);
  if (failure === null) console.error(error);
  else console.error(`homing: ${failure.message}`);
  process.exitCode = failure?.exitCode ?? 1;
}

/** Starts something, waits for SIGINT or SIGTERM, stops it; a second signal ends at once. */
async function runUntilSignal(start: () => Promise<AsyncDisposable>): Promise<void> {
  const stop = heedSignals();
  try {
    const running = await start().catch((error: unknown) => {
      // Ctrl-C reaches the programs that a start runs, too; their complaints say nothing new.
      throw stop.aborted ? new CommandFailure('stopped while it was starting', 1) : error;
    });
    if (!stop.aborted) await once(stop, 'abort');
    boundStop();
    await running[Symbol.asyncDispose]();
    process.exitCode = 0;
  } catch (error) {
    complain(error);
  }
}

/** Aborts at the first signal; ends the process at a later one. */
function heedSignals(): AbortSignal {
  const stop = new AbortController();
  let firstAt: number | null = null;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      firstAt ??= performance.now();
      if (performance.now() - firstAt > SAME_SIGNAL_MS) process.exit(1);
      stop.abort();
    });
  }
  return stop.signal;
}

/** Whoever asked for the stop kills after a while; a stop that says what happened comes before. */
function boundStop(): void {
  setTimeout(giveUp, LIMITS.stopMs).unref();
}

function giveUp(): void {
  console.error(`homing: not stopped within ${LIMITS.stopMs / 1000} s; ended all the same`);
  process.exit(1);
}

/** Complaints of the parser in the form of all others: one line, whoever finds the fault. */
function toComplaint(text: string): string {
  return `homing: ${text
    .replace(/^error: /, '')
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ')}`;
}

function toPort(text: string): number {
  return toNumber(text, LAST_PORT);
}

function toFirstPort(text: string): number {
  return toNumber(text, LAST_PORT - SIMULATOR_PORTS + 1);
}

function toNumber(text: string, most: number): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > most) {
    throw new InvalidArgumentError(`It has to be a whole number from 0 to ${most}.`);
  }
  return port;
}
