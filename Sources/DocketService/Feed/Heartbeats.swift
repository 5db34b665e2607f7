import NIOCore

/// When watches of the live feed are to be told how far it is, to the second.
struct Heartbeats {
  private var seconds: [Int64: [ObjectIdentifier: Watch]] = [:]

  var isEmpty: Bool { seconds.isEmpty }

  /// How long to wait for the next; nil: there is none.
  var pauseMilliseconds: Int64? {
    seconds.keys.min().map { max(0, $0 * 1000 - Self.uptimeMilliseconds) }
  }

  mutating func add(_ watch: Watch, everySeconds interval: Int64) {
    let second = (Self.uptimeMilliseconds + 999) / 1000 + interval
    watch.beat = second
    seconds[second, default: [:]][ObjectIdentifier(watch)] = watch
  }

  mutating func remove(_ watch: Watch, at second: Int64) {
    watch.beat = nil
    seconds[second]?.removeValue(forKey: ObjectIdentifier(watch))
    if seconds[second]?.isEmpty == true { seconds[second] = nil }
  }

  /// Those whose time has come.
  mutating func takeDue() -> [Watch] {
    let now = Self.uptimeMilliseconds / 1000
    var due: [Watch] = []
    for second in seconds.keys.filter({ $0 <= now }) {
      for watch in seconds.removeValue(forKey: second, default: [:]).values {
        watch.beat = nil
        due.append(watch)
      }
    }
    return due
  }

  private static var uptimeMilliseconds: Int64 { Int64(NIODeadline.now().uptimeNanoseconds / 1_000_000) }
}

extension Dictionary {
  fileprivate mutating func removeValue(forKey key: Key, default value: Value) -> Value {
    removeValue(forKey: key) ?? value
  }
}
