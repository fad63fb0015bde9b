export * from './installation.ts';
export * from './notification.ts';
export * from './paging.ts';
export * from './problem.ts';
export * from './simple.ts';
export * from './timeline.ts';
export * from './user.ts';
