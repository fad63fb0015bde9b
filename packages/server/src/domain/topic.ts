/** Not `.` or `..`, which no path can name: clients resolve them (RFC 3986, section 5.2.4). */
const TOPIC_SHAPE = /^(?!\.{1,2}$)[A-Za-z0-9_.~%:-]{1,128}$/;

/** What a topic's name looks like, for whoever is told that it does not. */
export const TOPIC_FORM = '1 to 128 letters, digits and - _ . ~ % :, and not . or .. alone';

export function isTopic(text: string): boolean {
  return TOPIC_SHAPE.test(text);
}
