/**
 * Sends so many, with so many under way at any time: what a client does that has more to send than
 * its connection takes. Throws with the first that fails.
 */
export async function keepInFlight(
  count: number,
  streams: number,
  send: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const sendOn = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      await send(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(streams, count) }, sendOn));
}
