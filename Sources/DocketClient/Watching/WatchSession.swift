import DequeModule
import NIOCore

/// Carries out what `WatchState` says: the socket, timers, and the task that waits. It lives on one event loop.
///
/// It connects and reads only while its queue wants more, so that a server is held back by one who does not take.
final class WatchSession {
  typealias Completion = (Result<Deque<WatchEvent>?, any Error>) -> Void

  private enum Ending {
    case none
    case untold(any Error)
    case told
  }

  private let address: ServerAddress
  private let configuration: ClientConfiguration
  private let silenceLimit: TimeAmount
  private let eventLoop: any EventLoop
  private var state: WatchState
  private var queue = WatchQueue()
  private var ending = Ending.none
  private var waiter: Completion?
  private var randomness = SystemRandomNumberGenerator()

  private var connection: ClientConnectionHandler?
  private var isReading = false
  /// How many attempts had failed when it was said that a connection is needed; nil: none is.
  private var neededConnection: Int?
  private var pause: Scheduled<Void>?
  private var lastRead = NIODeadline.now()
  private var silenceCheck: Scheduled<Void>?

  init(
    _ target: WatchTarget, _ options: WatchOptions, address: ServerAddress, configuration: ClientConfiguration,
    eventLoop: any EventLoop
  ) {
    self.address = address
    self.configuration = configuration
    self.eventLoop = eventLoop
    silenceLimit = TimeAmount(options.silenceLimit)
    state = WatchState(target, options, address: address, token: configuration.token)
  }

  /// Tells the events that have come since the last time, as soon as there are some: nil behind the end of the watch.
  func take(_ completion: @escaping Completion) {
    precondition(waiter == nil, "an iterator is used by one task at a time")
    waiter = completion
    perform(state.begin())
  }

  /// Ends the watch, and tells the one who waits why, or who comes next.
  func close(_ error: any Error) {
    if case .told = ending { return }
    _ = queue.take()
    ending = .untold(error)
    perform(state.close())
    pause?.cancel()
    silenceCheck?.cancel()
  }

  private func perform(_ actions: [WatchState.Action]) {
    for action in actions {
      switch action {
      case .connect(let failures): neededConnection = failures
      case .ask(let request):
        connection?.write(request)
        connection?.flush()
      case .deliver(let event): queue.append(event)
      case .closeConnection:
        connection?.close()
        connection = nil
        isReading = false
      case .end(let error): ending = .untold(error)
      }
    }
    tell()
    advance()
  }

  private func tell() {
    guard let waiter else { return }
    let result: Result<Deque<WatchEvent>?, any Error>
    if !queue.isEmpty {
      result = .success(queue.take())
    } else {
      switch ending {
      case .none: return
      case .untold(let error):
        ending = .told
        result = .failure(error)
      case .told: result = .success(nil)
      }
    }
    self.waiter = nil
    waiter(result)
  }

  /// Takes the next step towards more events, where more are wanted.
  private func advance() {
    guard case .none = ending, queue.wantsMore else { return }
    if let failures = neededConnection {
      neededConnection = nil
      connect(after: Backoff(maximum: configuration.maximumPause).pause(failures: failures, using: &randomness))
    } else if let connection, !isReading {
      isReading = true
      lastRead = .now()
      if silenceCheck == nil { checkSilence(in: silenceLimit) }
      connection.read()
    }
  }

  private func connect(after delay: Duration) {
    guard delay > .zero else { return connect() }
    pause = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) { self.connect() }
  }

  private func connect() {
    address.open(configuration, for: self, on: eventLoop, readsByItself: false) { result in
      switch result {
      case .success(let handler):
        self.connection = handler
        self.perform(self.state.connected())
      case .failure(let failure):
        self.perform(self.state.connectFailed(failure))
      }
    }
  }

  /// Only a connection that is read from can be seen to be silent.
  private func checkSilence(in delay: TimeAmount) {
    silenceCheck = eventLoop.assumeIsolated().scheduleTask(in: delay) {
      self.silenceCheck = nil
      guard self.isReading else { return }
      let left = self.silenceLimit - (NIODeadline.now() - self.lastRead)
      guard left <= .zero else { return self.checkSilence(in: left) }
      self.perform(self.state.wasSilent(for: Duration(self.silenceLimit)))
    }
  }
}

extension WatchSession: ConnectionOwner {
  func received(_ frame: ByteBuffer, on handler: ClientConnectionHandler) {
    guard handler === connection else { return }
    perform(state.received(frame))
  }

  func receivedTooMuch(on handler: ClientConnectionHandler) {
    guard handler === connection else { return }
    perform(state.receivedTooMuch(limit: configuration.maximumAnswerBytes))
  }

  func readCompleted(on handler: ClientConnectionHandler) {
    guard handler === connection else { return }
    isReading = false
    advance()
  }

  func disconnected(rest: ByteBuffer, on handler: ClientConnectionHandler) {
    guard handler === connection else { return }
    connection = nil
    isReading = false
    perform(handler.refusal.map { state.turnedAway(reason: $0) } ?? state.disconnected(rest: rest))
  }
}
