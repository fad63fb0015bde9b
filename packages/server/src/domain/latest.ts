/** The later of two instants, of which the first may never have been. */
export function latest(standing: Date | null, instant: Date): Date {
  return standing !== null && standing > instant ? standing : instant;
}
