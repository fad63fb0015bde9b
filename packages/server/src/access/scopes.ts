/** What a secret key may be allowed to do. */
export const SCOPES = [
  'app:read',
  'app:write',
  'credentials:read',
  'credentials:write',
  'installations:read',
  'installations:write',
  'users:read',
  'users:write',
  'notifications:read',
  'notifications:write',
  'alerts:read',
  'alerts:write',
] as const;
export type Scope = (typeof SCOPES)[number];
