/**
 * Calls back when the person changes the permission in the settings, where the browser tells.
 * Elsewhere it is read whenever somebody comes back to the page.
 */
export async function watchPermission(
  changed: () => void,
  options: AddEventListenerOptions,
): Promise<void> {
  try {
    const permission = await navigator.permissions.query({ name: 'notifications' });
    permission.addEventListener('change', changed, options);
  } catch {
    // It has no such permissions, or none that may be asked about here.
  }
}
