/** Every bound of the server in one place, each with its reason. Durations carry their unit. */
export const LIMITS = {
  /** A body larger than this is no registration and no notification to named users. */
  bodyBytes: 256 * 1024,
  /** JSON nested deeper than this is an attack on a parser, not a request. */
  jsonDepth: 20,
  jsonKeys: 1_000,
  /** A customer's user id; longer ones are almost always a serialised object by mistake. */
  userIdCharacters: 255,
  /** Sequences stay exact in a JavaScript number and in 48 bits of a client's storage. */
  sequence: 2 ** 48,
  /** A client has fewer packets under way at once, or waiting to be sent again. */
  packetsUnderWay: 1_000,
  /**
   * One chunk: small enough to lose little in a crash, large enough to cost no time per delivery.
   */
  chunkDeliveries: 1_000,
  /**
   * Whom one step of a walk over an audience looks at: a fraction of a second, which is what a
   * crash can make us repeat, and ten chunks, so that sending begins with the first step.
   */
  walkStep: 10_000,
  /** Topics in one expression, and how deep it may be nested: far above what a person reads. */
  expressionTopics: 32,
  expressionDepth: 20,
  /** Named users of one request; larger audiences are uploaded as a list. */
  audienceUsers: 1_000,
  audienceInstallations: 1_000,
  /** An uploaded list; longer ones are several. */
  audienceLines: 1_000_000,
  /** An id and what a person is told; a notification itself holds 4 KiB. */
  audienceLineBytes: 16 * 1024,
  /** The same, unpacked or not: half a kilobyte for each of a million. */
  audienceBytes: 512 * 1024 * 1024,
  /** Bad lines that an answer names: enough to see what is wrong with all of them. */
  audienceProblems: 20,
  /** Members, or bytes, that are written in one statement. */
  audienceBatch: 5_000,
  audienceBatchBytes: 1024 * 1024,
  /** After a list, or a notification that uses it, could last be needed. */
  audienceDays: 30,
  /** A large list over a slow line; all other bodies have to be there within `bodyMs`. */
  uploadMs: 15 * 60 * 1_000,
  bodyMs: 30_000,
  /**
   * A batch of registrations waits so long for a lock that cannot be skipped, as that of somebody
   * who enrols the same id or takes the same token: less than until PostgreSQL looks for deadlocks.
   */
  batchLockTimeoutMs: 250,
  /** A registration that is alone waits so long at a time; then others like it have their turn. */
  packetLockTimeoutMs: 500,
  /** After so long its client is told to come again, long before the client gives up. */
  heldUpMs: 5_000,
  /** The same, counted from its arrival: others of its installation may have been held up. */
  packetPatienceMs: 20_000,
  /** What changes one installation without a batch waits so long for somebody who holds it. */
  requestLockTimeoutMs: 1_000,
  /**
   * A transaction that says nothing for so long is that of a frozen process, and ends. The longest
   * silence of others is the fetch of a provider's token, 10 s.
   */
  transactionSilenceMs: 15_000,
  /**
   * A settlement waits so long for a lock, then lets go of its own and comes again: far less than a
   * lease, and longer than until PostgreSQL looks for deadlocks.
   */
  settleLockTimeoutMs: 2_000,
  /**
   * One ownership check. The fewer there are in one, the sooner what it said is on its way: 99 of
   * 100 logouts among 8,500 pushes a second were the last word after 62 ms with 250, and after
   * 38 ms with 100, for the same processor time.
   */
  gateSlice: 100,
  /**
   * Notifications to few users share their acceptance, and small chunks their ownership checks and
   * settlements: so many at a time, each with so many deliveries or users at most, and so many
   * rounds at once. One round at a time gathers more than two: of 500 sends a second half were at
   * the provider within 56 ms, and within 138 ms with two, for the same processor time.
   */
  roundChunks: 100,
  roundDeliveries: 10,
  roundsAtOnce: 1,
  /**
   * A round waits so long for a lock, less than until PostgreSQL looks for deadlocks; then each of
   * those that share it goes alone.
   */
  roundLockTimeoutMs: 250,
  /** How long an ownership check may stand before its push must have started (rule R7). */
  gateFreshMs: 1_000,
  /** A lease outlives three missed heartbeats, so a stalled event loop does not lose its work. */
  leaseMs: 6_000,
  heartbeatMs: 2_000,
  /** So long after it is due a heartbeat counts as missed. */
  heartbeatDelayMs: 1_000,
  /** When a chunk whose credential cannot be opened at all is looked at again. */
  giveBackMs: 10_000,
  /** Outcomes are written at this pace or count: what a crash can make us repeat. */
  settleMs: 200,
  settleOutcomes: 500,
  /** A time to live of 0 means now or never; now includes the way to the provider. */
  nowOrNeverMs: 30_000,
  /** How long a call is worth ringing, unless its caller says otherwise. */
  callTtlSeconds: 30,
  /** A bucket of tokens holds what this time brings: how much can go out at once. */
  rateBurstMs: 500,
  /** The share of its rate with which a lane begins after a quiet time, and to which it falls. */
  rateFloor: 0.1,
  /** How long a run waits for tokens or room before it looks whether it should go on at all. */
  permitPatienceMs: 500,
  /** A credential that takes longer to be made ready is out of reach: others need the place. */
  prepareMs: 1_000,
  /** Slices of one chunk that are sent and not settled: one on the wire, the others behind it. */
  slicesUnderWay: 3,
  /**
   * The share of a provider's streams that bulk may fill: the rest is free when something
   * transactional comes.
   */
  bulkShare: 0.75,
  /** Bulk waits for room for so many pushes: a gate for each single one would cost too much. */
  bulkRoom: 50,
  /** Pushes that are handed over in one go, before others have their turn of the event loop. */
  pushesAtOnce: 50,
  /**
   * So many chunks of a notification with a pace are held by all workers together for each of its
   * credentials, or one for so many pushes a second: enough to keep the pace. What is held beyond
   * only waits, and when its worker dies it waits for the end of its lease as well. With one of
   * three workers killed each second and two credentials a chunk waited 6.7 s for its next worker
   * (99 of 100) with 8, and 8.9 s with 16.
   */
  pacedChunks: 8,
  pushesPerPacedChunk: 500,
  /**
   * An ownership check of something transactional that takes longer is slow; then the slices of
   * bulk come apart, so far at most.
   */
  gateSlowMs: 25,
  bulkSpacingMs: 100,
  /** When a chunk is looked at again whose lane another one probes at the moment. */
  probePatienceMs: 1_000,
  /** Workers look for work at this pace when no notification woke them. */
  pollBusyMs: 250,
  pollIdleMs: 1_000,
  /** An unchanged check-in is written at most this often. */
  checkInMs: 6 * 60 * 60 * 1_000,
  takeoverNonceMs: 60_000,
  /** A token that moves more often within the time of calm is disputed (case S33). */
  undisputedMoves: 3,
  /** So long nobody may have taken a disputed token for it to be in use again. */
  disputeCalmMs: 24 * 60 * 60 * 1_000,
  /**
   * Challenges through one token at a time, whoever claims it: its phone is not to be flooded with
   * silent pushes, and one claimant alone is not to keep the others from being asked.
   */
  challengesPerToken: 5,
  /** Probes under way at once in a process: they are few, and nothing else may wait for them. */
  probesAtOnce: 32,
  /** Outlives every provider's deadline for an answer, so that a probe is not sent twice. */
  probeLeaseMs: 30_000,
  /** A probe is sent within this time of its lease: what is left is enough for the answer. */
  probeStartMs: 10_000,
  /** Times that a probe is taken up, also while its lane stands still. */
  probeAttempts: 10,
  probeRetryMs: 5_000,
  /** How long a question about a doubted token is worth asking. */
  doubtProbeMs: 60 * 60 * 1_000,
  /**
   * One such question for each address in this time, however often its token is put aside. For the
   * other environment one answer is as good as the next; what was valid may end soon after.
   */
  doubtRestMs: { environment: 24 * 60 * 60 * 1_000, validity: 60 * 60 * 1_000 },
  assertionLifetimeSeconds: 600,
  assertionSkewSeconds: 60,
  assertionBytes: 8_192,
  /** A longer `jti` is kept as a digest: it has to fit an index. */
  assertionIdCharacters: 255,
  /** Between two reviews of an app. */
  reviewDays: 30,
  /** Installations that a review looks at, and changes, in one transaction. */
  reviewSlice: 5_000,
  /** Reviews in one list: years of them. */
  reviewsListed: 50,
  /** Each look for the one that serves an address reads them all. */
  credentialsLive: 50,
  /** How long a provider is asked about a credential before that counts as no answer. */
  verifyMs: 25_000,
  /** One that signs and the next one: enough to rotate, and few enough to know who holds which. */
  identityKeysLive: 2,
  /** For so long a logout on the simple routes takes what a retired key has signed. */
  retiredKeyLogoutMs: 30 * 24 * 60 * 60 * 1_000,
  /** Shorter ones can be guessed from one assertion (RFC 7518 section 3.2). */
  identitySecretBytes: { least: 32, most: 256 },
  /** A published key set: a dozen keys are a few kilobytes. */
  keySetBytes: 64 * 1024,
  keySetKeys: 20,
  /** How long a key set is good for, when it says nothing, and at least and at most. */
  keySetFreshSeconds: { unsaid: 600, least: 60, most: 86_400 },
  /** How long the last copy serves while the set cannot be fetched. */
  keySetStaleMs: 24 * 60 * 60 * 1_000,
  /** An unknown key id is looked for at most this often, so that nobody can make us ask on. */
  keySetSearchMs: 60_000,
  /** After a failure the set is left alone for so long. */
  keySetPauseMs: 10_000,
  /** What an app's owner points us to has so long to answer, headers and body. */
  outboundMs: 5_000,
  idempotencyDays: 30,
  idempotencyKeyCharacters: 255,
  tombstoneDays: 30,
  /** After an erasure, assertions issued before it could still be alive for less than this. */
  userTombstoneHours: 24,
  /** A page of a list. */
  pageDefault: 50,
  pageMax: 500,
  timelineEvents: 500,
  /** Links and events in the export of one user: everything, unless something is very wrong. */
  exportRows: 100_000,
  /** SIGTERM to exit, below the 30 seconds that orchestrators commonly grant. */
  stopMs: 25_000,
  receiptsPerRequest: 100,
  /** Receipts of pushes that are asked for in one request: what Expo's own SDK asks for. */
  receiptsAtOnce: 300,
  /** Such requests of a process: with one each half second a provider is kept up with. */
  receiptRunsAtOnce: 4,
  /** A request for receipts that finds no connection for so long is made another time. */
  receiptStartMs: 10_000,
  /** Outlives that and the answer, so that two workers do not ask for the same. */
  receiptLeaseMs: 60_000,
  /** When receipts are asked for again that could not be asked for. */
  receiptRetryMs: 60_000,
  /** So long before its provider forgets a receipt it is asked for a last time. */
  receiptLastAskMs: 30 * 60 * 1_000,
  topicsPerInstallation: 200,
  tagsPerInstallation: 50,
  /** Far above what a device has at once: a call token and a handful of Live Activities. */
  purposeTokensPerInstallation: 20,
  unclassifiedAttempts: 2,
  /** The longest time to live, hence the age of what can still be offered (FCM: four weeks). */
  ttlDays: 28,
  /**
   * Attempts after which a delivery does not follow its installation's next token any more: a
   * client that keeps reporting a dead one would make us knock with every check-in.
   */
  tokenAttempts: 5,
  /**
   * When dead tokens are taken for an error of a credential: this many, and more than this share
   * of all answers, within this time and without one acceptance.
   */
  massDeathTokens: 50,
  massDeathShare: 0.3,
  massDeathMs: 10 * 60 * 1_000,
  /** What was lost during a freeze is offered again when it lifts: as long as that is of use. */
  tokenLossHours: 24,
  /** Installations that are relieved in one transaction: a blink, whatever the freeze was about. */
  reliefSlice: 500,
  /** A lane asks so often whether the credential that it is accepted with counts as stopped. */
  stopReviewMs: 60_000,
  /** A worker follows within this time what was changed about a credential. */
  laneReviewMs: 10_000,
} as const;
