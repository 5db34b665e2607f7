import DocketWire
import NIOCore

/// What a watch knows of its connection and of how far it is: a value that is told events and says what to do.
///
///     begin ──▶ opening ──▶ open ──▶ its first frame ──▶ frames …
///                  ▲          │ lost, or refused for now        │
///                  └──────────┴─────────────────────────────────┘
///
/// Each frame moves the place from which the next connection goes on, so that nothing is told twice and nothing left out.
struct WatchState {
  enum Action: Sendable, Equatable {
    /// Open a connection, after a pause that grows with the number of failures in a row.
    case connect(failures: Int)
    case ask(Request)
    case deliver(WatchEvent)
    /// Close the connection; nothing that it still tells counts.
    case closeConnection
    /// The watch has ended, and this is told behind all events.
    case end(DocketClientError)
  }

  private enum Connection: Equatable {
    case none
    case opening
    case open
    /// The server has begun the watch.
    case watching
    /// The watch is over.
    case ended
  }

  private let address: ServerAddress
  private let target: WatchTarget
  private let options: WatchOptions
  private var token: TokenDelivery

  private var connection = Connection.none
  /// From where the next connection goes on. It stays at `snapshot` until one is complete.
  private var position: WatchStart
  /// Of the sequences that the connection tells.
  private var history = ""
  /// Attempts that failed since the last success.
  private var failures = 0
  private var hasSucceeded = false
  /// Whether the one who watches has something to forget.
  private var hasTold = false
  private var isLiveTold = false

  init(_ target: WatchTarget, _ options: WatchOptions, address: ServerAddress, token: String? = nil) {
    self.target = target
    self.options = options
    self.address = address
    self.token = TokenDelivery(token: token)
    position = options.start
  }

  mutating func begin() -> [Action] {
    guard connection == .none else { return [] }
    connection = .opening
    return [.connect(failures: 0)]
  }

  /// Nobody watches any more.
  mutating func close() -> [Action] {
    let isOpen = connection == .open || connection == .watching
    connection = .ended
    return isOpen ? [.closeConnection] : []
  }

  // MARK: The connection

  mutating func connected() -> [Action] {
    guard connection == .opening else { return [.closeConnection] }
    connection = .open
    var request = target.request(from: position)
    token.begin()
    token.complete(&request.headers)
    return [.ask(request)]
  }

  mutating func connectFailed(_ failure: ConnectFailure) -> [Action] {
    guard connection == .opening else { return [] }
    return lost(failure.error(address))
  }

  /// The server has ended the connection since it does not let the client in.
  mutating func turnedAway(reason: String) -> [Action] {
    guard connection == .open else { return disconnected(rest: ByteBuffer()) }
    connection = .opening
    return connectFailed(ConnectFailure(reason: reason, isOfTLS: true))
  }

  mutating func received(_ frame: ByteBuffer) -> [Action] {
    guard connection == .open || connection == .watching else { return [] }
    do {
      let answer = try Answer.parse(frame)
      guard answer.continues else { return try refused(answer) }
      guard answer.id == WatchTarget.id else { throw DocketClientError.badAnswer(reason: "an id that was not sent") }
      return try told(answer.data)
    } catch let error as DocketClientError {
      return ended(error)
    } catch {
      return ended(.badAnswer(reason: frame.otherProtocol ?? "\(error)"))
    }
  }

  /// What comes is longer than a frame may be.
  mutating func receivedTooMuch(limit: Int) -> [Action] {
    guard connection == .open || connection == .watching else { return [] }
    return ended(.badAnswer(reason: "longer than \(limit) bytes"))
  }

  /// Nothing has come for so long that the connection must be dead.
  mutating func wasSilent(for limit: Duration) -> [Action] {
    guard connection == .open || connection == .watching else { return [] }
    return [.closeConnection] + lost(.watchInterrupted(reason: "nothing came for \(limit)"))
  }

  /// The connection has ended.
  /// - Parameter rest: what came behind the last NUL. A server that refuses the session answers so and closes.
  mutating func disconnected(rest: ByteBuffer) -> [Action] {
    guard connection == .open || connection == .watching else { return [] }
    // A frame that continues and was cut comes again over the next connection.
    if let answer = try? Answer.parse(rest), !answer.continues { return received(rest) }
    if let reason = rest.otherProtocol { return ended(.badAnswer(reason: reason)) }
    return lost(.watchInterrupted(reason: "the server closed it"))
  }

  // MARK: Frames

  private mutating func told(_ data: ByteBuffer) throws(DocketClientError) -> [Action] {
    let fields = try AnswerFields(data)
    let reset = connection == .open ? try begun(fields) : []
    let told: WatchEvent?
    switch try fields.text("change") {
    case "live": told = live(try mark(fields, data))
    case "heartbeat": told = heartbeat(try mark(fields, data))
    case let kind: told = change(try WatchChange(fields, kind: kind, history: history, json: data))
    }
    return reset + (told.map { [.deliver($0)] } ?? [])
  }

  /// The first frame of a connection shows that the server has begun the watch.
  private mutating func begun(_ fields: AnswerFields) throws(DocketClientError) -> [Action] {
    history = try fields.text("history")
    connection = .watching
    failures = 0
    hasSucceeded = true
    guard position == .snapshot, hasTold else { return [] }
    hasTold = false
    isLiveTold = false
    return [.deliver(.reset)]
  }

  private func mark(_ fields: AnswerFields, _ json: ByteBuffer) throws(DocketClientError) -> WatchMark {
    WatchMark(sequence: try fields.integer("sequence"), history: history, json: json)
  }

  private mutating func live(_ mark: WatchMark) -> WatchEvent? {
    advance(to: mark.sequence)
    guard !isLiveTold else { return nil }
    isLiveTold = true
    hasTold = true
    return .live(mark)
  }

  private mutating func heartbeat(_ mark: WatchMark) -> WatchEvent? {
    // In the middle of a snapshot there is no sequence behind which one could go on.
    if position != .snapshot { advance(to: mark.sequence) }
    return options.tellsHeartbeats ? .heartbeat(mark) : nil
  }

  private mutating func change(_ change: WatchChange) -> WatchEvent? {
    if let sequence = change.sequence {
      if case .since(let last, _) = position, sequence <= last { return nil }
      if position != .snapshot { advance(to: sequence) }
    }
    hasTold = true
    return .change(change)
  }

  private mutating func advance(to sequence: Int64) {
    var sequence = sequence
    if case .since(let last, _) = position { sequence = max(sequence, last) }
    position = .since(sequence, history: history)
  }

  // MARK: Ends

  /// A frame that does not continue is the last one of its watch.
  private mutating func refused(_ answer: Answer) throws(DocketClientError) -> [Action] {
    guard answer.id == nil || answer.id == WatchTarget.id else { throw .badAnswer(reason: "an id that was not sent") }
    guard !answer.isSuccess else {
      throw .badAnswer(reason: "the server does not watch: it has answered \(answer.code)")
    }
    let refusal = Refusal(answer)
    if options.start == .snapshot, refusal.isOfPosition {
      position = .snapshot
    } else if !refusal.isForNow {
      throw .refused(refusal)
    }
    return [.closeConnection] + lost(.refused(refusal))
  }

  /// Opens another connection, unless that was tried too often.
  private mutating func lost(_ error: DocketClientError) -> [Action] {
    var actions: [Action] = []
    if connection == .watching {
      if options.tellsInterruptions {
        actions = [.deliver(.interrupted(error))]
        isLiveTold = false
      }
    } else {
      failures += 1
      let maximum = hasSucceeded ? options.maximumAttempts : options.maximumFirstAttempts ?? options.maximumAttempts
      if let maximum, failures >= maximum {
        connection = .ended
        return [.end(error)]
      }
    }
    connection = .opening
    // Those that were watching pause as well, or all of them would come back at once.
    return actions + [.connect(failures: max(failures, 1))]
  }

  private mutating func ended(_ error: DocketClientError) -> [Action] {
    connection = .ended
    return [.closeConnection, .end(error)]
  }
}

extension Refusal {
  /// Whether the same request may do later.
  fileprivate var isForNow: Bool { code == 503 || code == 429 || code == 408 }

  /// Whether it is about the sequence behind which the watch was to go on, so that another snapshot mends it.
  fileprivate var isOfPosition: Bool { ["history_gone", "other_history", "ahead"].contains(error) }
}
