export const FCM_PROJECT = 'acme-shop';

/** What every push to FCM says. */
export const FCM_TEXT = {
  title: 'On its way',
  body: 'Your order has left our warehouse and is on its way to you.',
};

/** Registration tokens are about so long. */
const FILLING =
  'APA91bHPRgkF3JUikC4ENAHEeMrd41Zxv3hVZjC9KtT8OvPVGJ-hQMRKRrZuJAEcl7B338qju59zJMjw2DEL';

/** The token of a phone by its number. */
export function fcmRegistration(number: number): string {
  return `${number.toString(16).padStart(22, '0')}:${FILLING}`;
}
