import DocketStore
import NIOConcurrencyHelpers

/// Tells those who wait that the store has failed, once, or that it was closed in good order.
final class FailureSignal: Sendable {
  private struct State {
    var outcome: StoreError?
    var waiting: [UInt64: CheckedContinuation<StoreError, any Error>] = [:]
    var lastTicket: UInt64 = 0
  }

  private let state = NIOLockedValueBox(State())

  /// What the store has come to, if anything.
  var outcome: StoreError? { state.withLockedValue { $0.outcome } }

  /// The first call counts. `closed` is what a store says that ended as it was told to.
  func finish(_ outcome: StoreError) {
    let waiting = state.withLockedValue { state in
      guard state.outcome == nil else { return [CheckedContinuation<StoreError, any Error>]() }
      state.outcome = outcome
      defer { state.waiting = [:] }
      return Array(state.waiting.values)
    }
    for continuation in waiting { Self.resume(continuation, outcome) }
  }

  /// Waits for the failure.
  /// - Throws: `StoreError.closed` when the store was closed, `CancellationError` when the task is cancelled.
  func wait() async throws -> StoreError {
    let ticket = state.withLockedValue { state in
      state.lastTicket += 1
      return state.lastTicket
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let outcome = state.withLockedValue { state -> StoreError? in
          if state.outcome == nil { state.waiting[ticket] = continuation }
          return state.outcome
        }
        if let outcome {
          Self.resume(continuation, outcome)
        } else if Task.isCancelled {
          // The cancellation may have come before the continuation was there to be found.
          cancel(ticket)
        }
      }
    } onCancel: {
      cancel(ticket)
    }
  }

  private func cancel(_ ticket: UInt64) {
    state.withLockedValue { $0.waiting.removeValue(forKey: ticket) }?.resume(throwing: CancellationError())
  }

  private static func resume(_ continuation: CheckedContinuation<StoreError, any Error>, _ outcome: StoreError) {
    if outcome == .closed { continuation.resume(throwing: outcome) } else { continuation.resume(returning: outcome) }
  }
}
