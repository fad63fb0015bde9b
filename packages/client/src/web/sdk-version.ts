/** What the registry is told that an installation runs; page and worker are one installation. */
export const SDK_VERSION = 'web/0.1.0';
