import Glibc

/// Backups that are made again and again into one folder: how they are called, when the next one is due, and which are too old.
///
/// All of it is told by what is in the folder, so that a start anew changes nothing. Each file says itself of which history it is, so
/// that two databases may have one folder.
public struct BackupSeries: Sendable {
  /// Seconds between two.
  public let everySeconds: Int64
  /// How many are kept; nil: all.
  public let keep: Int?

  private static let prefix = "docket-"
  private static let suffix = ".db"

  public init(everySeconds: Int64, keep: Int?) {
    self.everySeconds = everySeconds
    self.keep = keep
  }

  /// `docket-20300131T120000Z.db`
  /// - Parameter seconds: since 1970-01-01.
  public static func name(at seconds: Int64) -> String {
    var seconds = time_t(seconds)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    var text = [CChar](repeating: 0, count: 32)
    strftime(&text, text.count, "%Y%m%dT%H%M%SZ", &parts)
    return prefix + String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) + suffix
  }

  /// When one of that name was made; nil for a file that is none of a series.
  public static func seconds(of name: String) -> Int64? {
    guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return nil }
    // yyyymmddThhmmssZ
    let digits = Array(name.utf8.dropFirst(prefix.utf8.count).dropLast(suffix.utf8.count))
    guard digits.count == 16 else { return nil }
    func number(_ range: Range<Int>) -> Int32 {
      digits[range].reduce(0) { 10 * $0 + Int32($1) - Int32(UInt8(ascii: "0")) }
    }
    var parts = tm()
    parts.tm_year = number(0..<4) - 1900
    parts.tm_mon = number(4..<6) - 1
    parts.tm_mday = number(6..<8)
    parts.tm_hour = number(9..<11)
    parts.tm_min = number(11..<13)
    parts.tm_sec = number(13..<15)
    let seconds = Int64(timegm(&parts))
    // What is no such time is written otherwise.
    return Self.name(at: seconds) == name ? seconds : nil
  }

  /// For how many seconds the next one is not due yet; 0: it is. What lies in the future, because the clock was ahead once,
  /// does not count.
  public func secondsToNext(among names: [String], now: Int64) -> Int64 {
    guard let last = names.compactMap(Self.seconds).filter({ $0 <= now }).max() else { return 0 }
    return max(0, last + everySeconds - now)
  }

  /// Those of the series that are too many, the oldest first. What lies in the future is left to people.
  public func surplus(among names: [String], now: Int64) -> [String] {
    guard let keep else { return [] }
    let own = names.filter { Self.seconds(of: $0).map { $0 <= now } ?? false }.sorted()
    return Array(own.dropLast(keep))
  }

  /// Removes those of a history that are too many from a folder.
  public func removeSurplus(in folder: SeriesFolder, of history: String, now: Int64) {
    guard keep != nil else { return }
    for name in surplus(among: folder.names(of: history), now: now) { unlink(folder.path(of: name)) }
  }

  /// The same of a folder as it is.
  /// - Parameter history: whose backups count; nil: it is not known, and all do.
  public func secondsToNext(in folder: SeriesFolder, of history: String?, now: Int64) -> Int64 {
    let past = folder.names.filter { Self.seconds(of: $0).map { $0 <= now } ?? false }.sorted()
    // The newest is nearly always the one, and the others need not be looked at.
    let last = past.last { history == nil || folder.history(of: $0) == history }
    return secondsToNext(among: last.map { [$0] } ?? [], now: now)
  }
}
