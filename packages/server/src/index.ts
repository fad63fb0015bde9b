export { createApp, VERSION, type App, type Overrides } from './app.ts';
export { ConfigError, readConfig, type Config, type ProviderEndpoints } from './config/config.ts';
export { ENVIRONMENT, type Environment } from './config/env.ts';
export { readSecrets, type Secrets } from './config/secrets.ts';
export { MigrationError } from './store/migrate.ts';
export { createLogger } from './telemetry/log.ts';
export {
  isKeyKnown,
  provisionApp,
  type NewAppRequest,
  type ProvisionedApp,
  ProvisionError,
} from './provision.ts';
export { LIMITS } from './domain/limits.ts';
export { examine, type Symptom } from './doctor.ts';
export type { RewrapProgress } from './credentials/rewrap.ts';
export { rewrapSecrets } from './rewrap.ts';
