const TOPIC_SHAPE = /^[A-Za-z0-9_.~%:-]{1,128}$/;

/** What a topic's name looks like, for whoever is told that it does not. */
export const TOPIC_FORM = '1 to 128 letters, digits and - _ . ~ % :';

export function isTopic(text: string): boolean {
  return TOPIC_SHAPE.test(text);
}
