/** What a topic must look like for each push type: the bundle id with this behind it. */
export const TOPIC_SUFFIXES: ReadonlyMap<string, string> = new Map([
  ['alert', ''],
  ['background', ''],
  ['voip', '.voip'],
  ['complication', '.complication'],
  ['fileprovider', '.pushkit.fileprovider'],
  ['liveactivity', '.push-type.liveactivity'],
  ['location', '.location-query'],
  ['pushtotalk', '.voip-ptt'],
  ['widgets', '.push-type.widgets'],
  ['controls', '.push-type.controls'],
  ['mdm', ''],
]);

const WELL_FORMED = /^[A-Za-z0-9][A-Za-z0-9.-]*$/;

/**
 * Why a push of this type may not go to this topic; null when it may. The topics are the bundle
 * ids (or MDM identifiers) that the credential owns. A push without a type is judged by its topic
 * alone, for such pushes exist.
 */
export function topicProblem(
  topic: string,
  pushType: string | null,
  owned: ReadonlySet<string>,
): 'BadTopic' | 'TopicDisallowed' | null {
  if (!WELL_FORMED.test(topic)) return 'BadTopic';
  const suffixes = [...TOPIC_SUFFIXES.values()];
  const wanted = pushType === null ? suffixes : [TOPIC_SUFFIXES.get(pushType) ?? ''];
  if (wanted.some((suffix) => isOwned(topic, suffix, owned))) return null;
  // The app is theirs, but the topic is that of another push type.
  return suffixes.some((suffix) => isOwned(topic, suffix, owned)) ? 'BadTopic' : 'TopicDisallowed';
}

/** The bundle id under a topic: the topic without the suffix of the push type. */
export function bundleIdOf(topic: string, pushType: string | null): string {
  const suffix = pushType === null ? '' : (TOPIC_SUFFIXES.get(pushType) ?? '');
  return suffix !== '' && topic.endsWith(suffix) ? topic.slice(0, -suffix.length) : topic;
}

function isOwned(topic: string, suffix: string, owned: ReadonlySet<string>): boolean {
  return topic.endsWith(suffix) && owned.has(topic.slice(0, topic.length - suffix.length));
}
