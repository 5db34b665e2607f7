import DequeModule
import NIOConcurrencyHelpers
import NIOCore

/// What is remembered of addresses: how often tokens from there were not taken lately, and how many requests they may make.
final class AddressBook: Sendable {
  /// How many addresses are remembered; beyond, those go first that have been there longest.
  static let maximumAddresses = 16_384

  private struct Page {
    var failures = FailureCount()
    let allowance: RequestAllowance?
  }

  private struct State {
    var pages: [VisitorAddress: Page] = [:]
    var order = Deque<VisitorAddress>()
  }

  private let rate: Int?
  private let state = NIOLockedValueBox(State())

  /// - Parameter rate: how many requests a second an address may make; nil: as many as it likes.
  init(rate: Int?) {
    self.rate = rate
  }

  /// How many addresses are remembered.
  var count: Int { state.withLockedValue(\.pages.count) }

  /// Notes that a token was not taken. Returns for how many milliseconds the answer is to wait.
  func noteFailure(from address: VisitorAddress, now: NIODeadline) -> Int64 {
    withPage(of: address, now: now) { $0.failures.note(now: now) }
  }

  /// The requests that the address may make; nil: as many as it likes.
  func allowance(of address: VisitorAddress, now: NIODeadline) -> RequestAllowance? {
    rate == nil ? nil : withPage(of: address, now: now) { $0.allowance }
  }

  private func withPage<Result>(
    of address: VisitorAddress, now: NIODeadline, _ body: (inout Page) -> Result
  ) -> Result {
    state.withLockedValue { state in
      if state.pages[address] == nil {
        if state.pages.count >= Self.maximumAddresses, let oldest = state.order.popFirst() { state.pages[oldest] = nil }
        state.order.append(address)
      }
      return body(
        &state.pages[
          address, default: Page(allowance: rate.map { RequestAllowance(perSecond: $0, now: now) })])
    }
  }
}

/// Counts what failed within a minute, and says how long the next answer takes.
struct FailureCount {
  /// So many are answered at once.
  static let freeOfDelay = 5
  static let firstDelayMilliseconds: Int64 = 100
  static let longestDelayMilliseconds: Int64 = 5_000
  static let window = TimeAmount.seconds(60)

  private var count = 0
  private var since = NIODeadline.distantPast

  mutating func note(now: NIODeadline) -> Int64 {
    if now - since > Self.window {
      since = now
      count = 0
    }
    count += 1
    let beyond = count - Self.freeOfDelay
    guard beyond > 0 else { return 0 }
    // Sixteen doublings are more than there is to wait.
    return min(Self.longestDelayMilliseconds, Self.firstDelayMilliseconds << Int64(min(beyond - 1, 16)))
  }
}
