import DequeModule
import DocketClient
import DocketWire
import NIOCore

/// Sends a source's documents to a server in batches, a few of them on their way at once, and keeps account of what was
/// acknowledged.
///
/// A batch that the server refuses for one of its requests is sent again without it, or ends the import: then the state
/// stays in front of that batch, of which nothing was stored, so that the next import sends it again as it was. What was
/// on its way behind it is then sent again, too, to the same paths or under the same keys.
///
/// Where the same path occurs twice in a
/// source, the later document stands in the end, unless the earlier one's batch had to be sent again so.
struct Importer {
  struct Options: Sendable {
    let limits: ImportBatch.Limits
    /// Whether a bad record ends the import: then no more is read, and what is on its way is waited for.
    let stopsOnBadRecord: Bool
    let isQuiet: Bool
    /// Where the state is kept.
    let statePath: String?
    /// Whether each batch needs a key, since to carry it out twice would make its documents twice.
    let usesKeys: Bool
  }

  private struct Sent {
    var batch: ImportBatch
    /// Nil for a batch without requests.
    var answer: EventLoopFuture<Answer>?
  }

  private static let maximumInFlight = 4
  private static let maximumAttempts = 10
  private static let saveInterval = Duration.milliseconds(200)

  /// What was acknowledged, and where the source goes on behind it.
  private(set) var state: ImportState

  private let client: DocketClient
  private let options: Options
  private var source: ImportSource
  private var progress: BulkProgress
  private var inFlight: Deque<Sent> = []
  /// A request for which the batch before had no room is in the source's buffer.
  private var waiting: (number: Int, isLone: Bool)?
  /// Of the record with which the next batch begins, as it is told to one that begins again there.
  private var nextNumber: Int
  private var isReading = true
  /// Whether the import has stopped at a batch that the server refused.
  private var isRefused = false
  /// What became of the records that are not behind the state, and will be read and counted again.
  private var tallyAhead = ImportTally()
  private var lastSave = ContinuousClock.now

  init(_ source: ImportSource, client: DocketClient, state: ImportState, options: Options) {
    self.source = source
    self.client = client
    self.state = state
    self.options = options
    nextNumber = state.place.number
    progress = BulkProgress(
      isQuiet: options.isQuiet, totalBytes: source.size, bytes: state.place.offset, documents: state.tally.documents)
  }

  /// What became of all records, those of earlier runs included.
  var tally: ImportTally {
    var tally = state.tally
    tally += tallyAhead
    return tally
  }

  mutating func run() async throws {
    // The run's name must be on disk before the first of its keys is used.
    try saveState()
    let result: Result<Void, any Error>
    do {
      while isReading {
        let batch = try nextBatch()
        try await send(batch)
      }
      while !inFlight.isEmpty { try await settleFirst() }
      result = .success(())
    } catch {
      result = .failure(error)
    }
    try saveState()
    try progress.clear()
    try result.get()
  }

  // MARK: Reading

  private mutating func nextBatch() throws -> ImportBatch {
    var batch = ImportBatch(firstNumber: nextNumber)
    defer { nextNumber = batch.place.number }
    var records = 0
    if let waiting {
      batch.append(source.request, number: waiting.number, isLone: waiting.isLone)
      self.waiting = nil
      records = 1
    }
    while true {
      batch.place = source.place
      guard records < options.limits.records else { return batch }
      records += 1
      switch try source.next() {
      case .request(let number, let isLone):
        guard batch.hasRoom(for: source.request, isLone: isLone, limits: options.limits) else {
          waiting = (number, isLone)
          return batch
        }
        batch.append(source.request, number: number, isLone: isLone)
      case .expired:
        batch.tally.skipped += 1
      case .blank:
        break
      case .bad(let number, let reason, let isLast):
        try report(number, reason)
        isReading = !isLast && !options.stopsOnBadRecord
        guard isReading else {
          tallyAhead.bad += 1
          return batch
        }
        batch.tally.bad += 1
      case .end:
        isReading = false
        return batch
      }
    }
  }

  private mutating func report(_ number: Int, _ reason: String) throws {
    try progress.clear()
    try StandardStream.error.writeLine("docket: \(source.name): \(source.unit) \(number): \(reason)")
  }

  // MARK: Sending

  private mutating func send(_ batch: ImportBatch) async throws {
    while inFlight.count >= Self.maximumInFlight { try await settleFirst() }
    guard !isRefused else { return }
    inFlight.append(Sent(batch: batch, answer: batch.isEmpty ? nil : start(batch)))
  }

  private func start(_ batch: ImportBatch) -> EventLoopFuture<Answer> {
    var headers: Headers?
    if options.usesKeys {
      var key = "\(state.run)-\(batch.firstNumber)"
      // The server remembers its refusals, too.
      if batch.firstNumber == state.place.number, state.refusals > 0 { key += "+\(state.refusals)" }
      if batch.removals > 0 { key += "-\(batch.removals)" }
      headers = Headers([("Idempotency-Key", key)])
    }
    guard batch.isLone else {
      return client.start(
        .post, "/_batch", checkedData: batch.data, headers: headers, isIdempotent: !options.usesKeys)
    }
    guard let request = try? Request.parse(batch.loneRequest) else {
      preconditionFailure("requests are made of documents that were checked")
    }
    for field in request.headers?.fields ?? [] {
      headers = headers ?? Headers()
      headers?.append(field.name, field.value)
    }
    return client.start(
      request.method, String(buffer: request.path), checkedData: request.data, headers: headers,
      isIdempotent: !options.usesKeys)
  }

  // MARK: Answers

  /// Waits until the batch that was sent first is done.
  private mutating func settleFirst() async throws {
    guard var sent = inFlight.popFirst() else { return }
    var attempts = 1
    while let answer = sent.answer {
      switch try ImportAnswer(try await answer.get(), isLone: sent.batch.isLone) {
      case .stored(let imported, let replaced):
        sent.batch.tally.imported += imported
        sent.batch.tally.replaced += replaced
        sent.answer = nil
      case .bad(let index, let reason):
        try report(sent.batch.remove(at: index), reason)
        sent.batch.tally.bad += 1
        if options.stopsOnBadRecord {
          isReading = false
          if !isRefused { state.refusals += 1 }
          isRefused = true
        }
        // The rest alone, under a key of its own, would be made twice once the whole batch is taken.
        sent.answer = isRefused || sent.batch.isEmpty ? nil : start(sent.batch)
      case .later(let seconds, let refusal):
        guard attempts < Self.maximumAttempts else { throw DocketClientError.refused(refusal) }
        attempts += 1
        try await Task.sleep(for: .seconds(seconds))
        sent.answer = start(sent.batch)
      case .refused(let refusal):
        throw DocketClientError.refused(refusal)
      }
    }
    guard !isRefused else {
      tallyAhead += sent.batch.tally
      return
    }
    state.tally += sent.batch.tally
    state.place = sent.batch.place
    state.refusals = 0
    if ContinuousClock.now - lastSave > Self.saveInterval { try saveState() }
    try progress.show(bytes: state.place.offset, documents: state.tally.documents)
  }

  private mutating func saveState() throws {
    guard let path = options.statePath else { return }
    try state.save(path: path)
    lastSave = ContinuousClock.now
  }
}
