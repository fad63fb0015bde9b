import { join, resolve } from 'node:path';
import { renderArrival } from './arrival.ts';
import {
  DEMO_EXPO_PROJECT,
  DEMO_PROJECT,
  DEMO_TOPIC,
  loadSimulatorIdentity,
} from './simulator-identity.ts';
import { startSimulatorSet } from './simulator-set.ts';

export interface SimOptions {
  readonly directory: string;
  readonly host: string;
  readonly simulatorPort: number;
  readonly say: (line: string) => void;
}

/** The simulators alone, for a server that runs elsewhere. */
export async function startSim(options: SimOptions): Promise<AsyncDisposable> {
  const directory = resolve(options.directory);
  const file = join(directory, 'simulators.json');
  const identity = await loadSimulatorIdentity(file);
  const simulators = await startSimulatorSet({
    identity,
    host: options.host,
    firstPort: options.simulatorPort,
    onEntry: (entry) => {
      const line = renderArrival(entry);
      if (line !== null) options.say(line);
    },
  });
  const { endpoints, inspectionUrl, webPush, pushSocket } = simulators;
  options.say(`
The simulators are ready. Keys for them are in ${file}.

  APNs             ${endpoints.apns}        topic ${DEMO_TOPIC}
  APNs sandbox     ${endpoints.apnsSandbox}
  FCM              ${endpoints.fcm}        project ${DEMO_PROJECT}
  Google OAuth     ${endpoints.googleToken}
  HMS              ${endpoints.hms}        app ${identity.hmsApp.appId}
  Huawei OAuth     ${endpoints.hmsToken}
  Web Push         ${webPush.url}        endpoints begin with ${webPush.origin}
  A Firefox asks   ${pushSocket.url}
  Expo             ${endpoints.expo}        project ${DEMO_EXPO_PROJECT}
  What arrived     ${inspectionUrl}/journal
`);
  return simulators;
}
