import DequeModule
import DocketWire
import NIOCore

/// What a client knows of its calls and of its connection: a value that is told events and says what to do.
///
/// Calls wait, are sent in the order in which they were made, and are answered in the order in which they were sent:
///
///     submit ──▶ waiting ──▶ sent ──▶ answered
///                   ▲         │ the connection is lost, and the call may be repeated
///                   └─────────┘
struct ClientState {
  enum Action: Sendable, Equatable {
    /// Open a connection, after a pause that grows with the number of failures since the last answer.
    case connect(failures: Int)
    case write(Request)
    case complete(UInt64, Outcome)
    /// Close the connection; nothing that it still tells counts.
    case closeConnection
  }

  enum Outcome: Sendable, Equatable {
    case answered(Answer)
    case failed(DocketClientError)
    case cancelled
  }

  private enum Connection {
    case none
    case opening
    case open
    /// The client is closed for good.
    case closed
  }

  /// A place in the order of answers.
  private struct Place {
    /// Nil: nobody waits for the answer any more.
    var call: Call?
    /// Whether the call had been sent over a connection before this one.
    let wasSentBefore: Bool
  }

  private let address: ServerAddress
  private let maximumInFlight: Int
  private let maximumAttempts: Int

  private var connection = Connection.none
  private var waiting: Deque<Call> = []
  private var sent: Deque<Place> = []
  /// Whether the next request is the first on its connection, which asks for a persistent session.
  private var isFirstRequest = true
  private var token: TokenDelivery
  /// Whether an answer has come on the connection.
  private var isAnswered = false
  /// Attempts that failed since the last answer.
  private var failures = 0
  /// How many answers have come, and how many connections have failed or ended.
  private var events = 0

  init(address: ServerAddress, configuration: ClientConfiguration) {
    self.address = address
    maximumInFlight = configuration.maximumInFlight
    maximumAttempts = configuration.maximumAttempts
    token = TokenDelivery(token: configuration.token)
  }

  // MARK: Calls

  mutating func submit(_ call: Call) -> [Action] {
    guard connection != .closed else { return [.complete(call.id, .failed(.clientClosed))] }
    waiting.append(call)
    waiting[waiting.count - 1].eventsBefore = events
    return advance()
  }

  mutating func timedOut(_ id: UInt64) -> [Action] {
    guard let call = removeWaiting(id) ?? abandon(id) else { return [] }
    let completion = Action.complete(id, .failed(.timedOut(requestMayHaveHappened: call.wasSent)))
    // Nothing has come for as long as a call may take, whether it was sent or waited for those before it: the connection is taken for
    // dead.
    let isDead = connection == .open && call.eventsBefore == events
    return isDead ? [completion, .closeConnection] + connectionLost() : [completion]
  }

  /// The task that waits was cancelled. What was sent stays sent; its answer will be dropped.
  mutating func cancelled(_ id: UInt64) -> [Action] {
    guard removeWaiting(id) != nil || abandon(id) != nil else { return [] }
    return [.complete(id, .cancelled)]
  }

  mutating func close() -> [Action] {
    guard connection != .closed else { return [] }
    var actions: [Action] = connection == .open ? [.closeConnection] : []
    for call in sent.compactMap(\.call) + waiting {
      actions.append(
        .complete(call.id, .failed(call.wasSent ? .connectionClosed(requestMayHaveHappened: true) : .clientClosed)))
    }
    sent = []
    waiting = []
    connection = .closed
    return actions
  }

  // MARK: The connection

  mutating func connected() -> [Action] {
    guard connection == .opening else { return [.closeConnection] }
    connection = .open
    isFirstRequest = true
    token.begin()
    isAnswered = false
    return advance()
  }

  mutating func connectFailed(_ failure: ConnectFailure) -> [Action] {
    guard connection == .opening else { return [] }
    connection = .none
    failures += 1
    events += 1
    var actions: [Action] = []
    let calls = waiting
    waiting = []
    for call in calls {
      // Nothing was sent in this attempt, so every call may be tried again.
      if let again = afterFailure(call) {
        waiting.append(again)
      } else {
        let error: DocketClientError =
          call.wasSent
          ? .connectionClosed(requestMayHaveHappened: true) : failure.error(address)
        actions.append(.complete(call.id, .failed(error)))
      }
    }
    return actions + advance()
  }

  /// The server has ended the connection since it does not let the client in: no request on it was looked at.
  mutating func turnedAway(reason: String) -> [Action] {
    guard connection == .open, !isAnswered else { return disconnected(rest: ByteBuffer()) }
    for place in sent.reversed() {
      guard var call = place.call else { continue }
      call.wasSent = place.wasSentBefore
      waiting.prepend(call)
    }
    sent = []
    connection = .opening
    return connectFailed(ConnectFailure(reason: reason, isOfTLS: true))
  }

  mutating func received(_ frame: ByteBuffer) -> [Action] {
    guard connection == .open else { return [] }
    guard let place = sent.popFirst() else {
      // An answer to nothing: what comes after it could not be told apart from it.
      return [.closeConnection] + connectionLost()
    }
    do {
      let answer = try Answer.parse(frame)
      failures = 0
      isAnswered = true
      events += 1
      token.answered(answer)
      return completion(of: place, .answered(answer)) + advance()
    } catch {
      return badAnswer(to: place, reason: frame.otherProtocol ?? "\(error)")
    }
  }

  /// What comes is longer than an answer may be.
  mutating func receivedTooMuch(limit: Int) -> [Action] {
    guard connection == .open else { return [] }
    return badAnswer(to: sent.popFirst(), reason: "longer than \(limit) bytes")
  }

  /// The connection has ended.
  /// - Parameter rest: what came behind the last NUL. A server that refuses the session answers so and closes.
  mutating func disconnected(rest: ByteBuffer) -> [Action] {
    guard connection == .open else { return [] }
    var actions: [Action] = []
    if let answer = try? Answer.parse(rest), let place = sent.popFirst() {
      actions = completion(of: place, .answered(answer))
    } else if let reason = rest.otherProtocol {
      // It has looked at none of them.
      actions = sent.flatMap { completion(of: $0, .failed(.badAnswer(reason: reason))) }
      sent = []
    }
    return actions + connectionLost()
  }

  // MARK: Steps

  private mutating func advance() -> [Action] {
    switch connection {
    case .none where !waiting.isEmpty:
      connection = .opening
      return [.connect(failures: failures)]
    case .open:
      var actions: [Action] = []
      while sent.count < maximumInFlight, var call = waiting.popFirst() {
        let wasSentBefore = call.wasSent
        call.wasSent = true
        var request = call.request
        if isFirstRequest {
          request.headers = request.headers ?? Headers()
          request.headers?.append("Connection", "keep-alive")
        }
        isFirstRequest = false
        token.complete(&request.headers)
        sent.append(Place(call: call, wasSentBefore: wasSentBefore))
        actions.append(.write(request))
      }
      return actions
    case .none, .opening, .closed:
      return []
    }
  }

  /// Takes back what may be sent again, tells the others, and opens another connection if anybody waits.
  private mutating func connectionLost() -> [Action] {
    connection = .none
    events += 1
    if !sent.isEmpty { failures += 1 }
    var actions: [Action] = []
    var again: [Call] = []
    for call in sent.compactMap(\.call) {
      if call.isRepeatable, let call = afterFailure(call) {
        again.append(call)
      } else {
        actions.append(.complete(call.id, .failed(.connectionClosed(requestMayHaveHappened: true))))
      }
    }
    sent = []
    waiting.prepend(contentsOf: again)
    return actions + advance()
  }

  private mutating func badAnswer(to place: Place?, reason: String) -> [Action] {
    let told = place.map { completion(of: $0, .failed(.badAnswer(reason: reason))) } ?? []
    return told + [.closeConnection] + connectionLost()
  }

  private func completion(of place: Place, _ outcome: Outcome) -> [Action] {
    place.call.map { [.complete($0.id, outcome)] } ?? []
  }

  /// The call, one attempt poorer; nil when it had no more.
  private func afterFailure(_ call: Call) -> Call? {
    var call = call
    call.failedAttempts += 1
    return call.failedAttempts < maximumAttempts ? call : nil
  }

  private mutating func removeWaiting(_ id: UInt64) -> Call? {
    waiting.firstIndex { $0.id == id }.map { waiting.remove(at: $0) }
  }

  /// Leaves the call's place in the order of answers, with nobody in it.
  /// - Returns: nil if there is no such call.
  private mutating func abandon(_ id: UInt64) -> Call? {
    guard let index = sent.firstIndex(where: { $0.call?.id == id }) else { return nil }
    defer { sent[index].call = nil }
    return sent[index].call
  }
}

extension ByteBuffer {
  /// What the other side speaks in the place of this protocol, and what to do; nil: that does not show.
  var otherProtocol: String? {
    // How an alert begins (RFC 8446, 5.1), and a status line (RFC 9112, 4).
    if readableBytesView.starts(with: [0x15, 0x03]) { return "the server speaks TLS (--tls)" }
    if readableBytesView.starts(with: "HTTP/".utf8) {
      return "this port speaks HTTP; give that of the native protocol (--port)"
    }
    return nil
  }
}
