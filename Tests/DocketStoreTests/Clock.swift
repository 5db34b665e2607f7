import DocketStore
import NIOConcurrencyHelpers

/// A clock that a test sets.
final class Clock: Sendable {
  private let box: NIOLockedValueBox<Int64>

  init(_ milliseconds: Int64) {
    box = NIOLockedValueBox(milliseconds)
  }

  var milliseconds: Int64 {
    get { box.withLockedValue { $0 } }
    set { box.withLockedValue { $0 = newValue } }
  }

  var time: Timestamp { Timestamp(milliseconds: milliseconds) }
}
