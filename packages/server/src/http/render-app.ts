import type { AppSettings } from '@homing/protocol';
import { formatTypedId } from '../domain/typed-id.ts';
import { settingsOf, warningsOf } from '../registry/app-settings.ts';
import type { App } from '../store/apps.ts';

/** An app as its owner sees it. */
export interface RenderedApp extends AppSettings {
  readonly id: string;
  readonly environment: App['environment'];
  readonly warnings: string[];
}

export function renderApp(app: App): RenderedApp {
  return {
    id: formatTypedId('app', app.id),
    environment: app.environment,
    ...settingsOf(app),
    warnings: [...warningsOf(app)],
  };
}
