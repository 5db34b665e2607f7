import DocketWire
import NIOCore

/// Carries out what `ClientState` says: sockets, timers, and the tasks that wait. It lives on one event loop.
final class ClientSession {
  private let address: ServerAddress
  private let configuration: ClientConfiguration
  private let eventLoop: any EventLoop
  private var state: ClientState
  private var randomness = SystemRandomNumberGenerator()

  /// Who wants to know how a call has ended, and the timer that ends the waiting.
  private struct Waiter {
    let completion: (Result<Answer, any Error>) -> Void
    let timer: Scheduled<Void>
  }

  private var waiters: [UInt64: Waiter] = [:]
  private var pause: Scheduled<Void>?
  private var connection: ClientConnectionHandler?
  private var isFlushScheduled = false

  init(address: ServerAddress, configuration: ClientConfiguration, eventLoop: any EventLoop) {
    self.address = address
    self.configuration = configuration
    self.eventLoop = eventLoop
    state = ClientState(address: address, configuration: configuration)
  }

  func submit(_ call: Call, _ completion: @escaping (Result<Answer, any Error>) -> Void) {
    let timer = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(configuration.requestTimeout)) {
      self.perform(self.state.timedOut(call.id))
    }
    waiters[call.id] = Waiter(completion: completion, timer: timer)
    perform(state.submit(call))
  }

  func cancel(_ id: UInt64) {
    perform(state.cancelled(id))
  }

  func close() {
    pause?.cancel()
    perform(state.close())
  }

  private func perform(_ actions: [ClientState.Action]) {
    for action in actions {
      switch action {
      case .connect(let failures):
        connect(after: Backoff(maximum: configuration.maximumPause).pause(failures: failures, using: &randomness))
      case .write(let request):
        connection?.write(request)
        scheduleFlush()
      case .complete(let id, let outcome):
        complete(id, outcome)
      case .closeConnection:
        connection?.close()
        connection = nil
      }
    }
  }

  /// What is written in one tick of the loop leaves in one piece.
  private func scheduleFlush() {
    guard !isFlushScheduled else { return }
    isFlushScheduled = true
    eventLoop.assumeIsolated().execute {
      self.isFlushScheduled = false
      self.connection?.flush()
    }
  }

  private func complete(_ id: UInt64, _ outcome: ClientState.Outcome) {
    guard let waiter = waiters.removeValue(forKey: id) else { return }
    waiter.timer.cancel()
    switch outcome {
    case .answered(let answer): waiter.completion(.success(answer))
    case .failed(let error): waiter.completion(.failure(error))
    case .cancelled: waiter.completion(.failure(CancellationError()))
    }
  }

  private func connect(after delay: Duration) {
    guard delay > .zero else { return connect() }
    pause = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) { self.connect() }
  }

  private func connect() {
    address.open(configuration, for: self, on: eventLoop) { result in
      switch result {
      case .success(let handler):
        self.connection = handler
        self.perform(self.state.connected())
      case .failure(let failure):
        self.perform(self.state.connectFailed(failure))
      }
    }
  }
}

extension ClientSession: ConnectionOwner {
  func received(_ frame: ByteBuffer, on handler: ClientConnectionHandler) {
    guard handler === connection else { return }
    perform(state.received(frame))
  }

  func receivedTooMuch(on handler: ClientConnectionHandler) {
    guard handler === connection else { return }
    perform(state.receivedTooMuch(limit: configuration.maximumAnswerBytes))
  }

  func readCompleted(on handler: ClientConnectionHandler) {}

  func disconnected(rest: ByteBuffer, on handler: ClientConnectionHandler) {
    guard handler === connection else { return }
    connection = nil
    perform(handler.refusal.map { state.turnedAway(reason: $0) } ?? state.disconnected(rest: rest))
  }
}
