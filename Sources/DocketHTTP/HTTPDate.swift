import DocketService
import DocketStore
import NIOConcurrencyHelpers
import Synchronization

/// The time as HTTP tells it (RFC 9110, section 5.6.7): made once a second.
enum HTTPDate {
  private static let last = NIOLockedValueBox<(second: Int64, text: String)>((-1, ""))

  static var now: String {
    let now = Timestamp.now
    let second = now.milliseconds / 1000
    return last.withLockedValue { last in
      if last.second != second { last = (second, now.httpDate) }
      return last.text
    }
  }
}
