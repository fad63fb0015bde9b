/** Behaviour of Push Kit that nobody has documented, or that Huawei grants to some apps only. */
export interface HmsKnobs {
  /** Whether refusals come with status 200, so that only the code tells them from a success. */
  errorsComeWith200: boolean;
  /** Whether apps may send messages of high priority. */
  highPriorityGranted: boolean;
}

/** What a simulator starts with. */
export function defaultHmsKnobs(): HmsKnobs {
  return { errorsComeWith200: true, highPriorityGranted: false };
}
